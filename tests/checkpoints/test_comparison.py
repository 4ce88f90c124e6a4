"""Differences between names and shapes, and between configs, of a network."""

import torch

from glore_seg.checkpoints import compare_state_dicts
from glore_seg.checkpoints.comparison import differing_settings, resumed_settings


def test_comparison_names_what_differs():
    wanted = {name: torch.empty(size) for name, size in (("a", 2), ("b", 3), ("c", 1))}
    wanted["n.num_batches_tracked"] = torch.empty(())
    found = {"a": torch.empty(2), "b": torch.empty(4), "d": torch.empty(1)}
    comparison = compare_state_dicts(wanted, found)
    assert comparison.fitting == ("a",)
    assert str(comparison) == (
        "1 of 3 parameters fit; 1 missing: c; 1 of another shape: b (4,), needed (3,); "
        "1 not in the model: d"
    )


def net(**head):
    return {
        "type": "EncoderDecoder",
        "backbone": {
            "type": "ResNetV1c",
            "dilations": (1, 1, 2, 4),
            "norm_cfg": {"type": "SyncBN", "requires_grad": True},
        },
        "decode_head": {"type": "GloReHead", "align_corners": False, **head},
        "test_cfg": {"mode": "whole"},
    }


def test_reports_what_changes_the_output():
    trained, used = net(unit_cfg={"normalize": True}), net(unit_cfg={"normalize": False})
    used["backbone"]["dilations"] = (1, 1, 1, 1)
    used["decode_head"]["act_cfg"] = {"type": "GELU"}
    assert differing_settings(trained, used) == [
        "model.backbone.dilations was (1, 1, 2, 4) in training and is (1, 1, 1, 1) here",
        "model.decode_head.unit_cfg.normalize was True in training and is False here",
        "model.decode_head.act_cfg was not set in training and is {'type': 'GELU'} here",
    ]


def test_ignores_what_does_not():
    trained, used = net(dropout_ratio=0.1), net(dropout_ratio=0.5, order="interaction")
    used["backbone"] |= {
        "type": "mmseg.ResNetV1c",
        "dilations": [1, 1, 2, 4],
        "norm_cfg": {"type": "BN", "requires_grad": False},
        "with_cp": True,
    }
    trained["decode_head"]["norm_cfg"] = {"type": "CPUSyncBN"}
    used["decode_head"]["norm_cfg"] = {"type": "SyncBN"}
    used["test_cfg"] = {"mode": "slide"}
    used["auxiliary_head"] = {"type": "FCNHead"}
    assert differing_settings(trained, used) == []


def test_what_a_resumed_training_takes_from_the_checkpoint():
    trained = {
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.1}, "clip_grad": None},
        "param_scheduler": [{"type": "PolyLR", "end": 4}],
        "train_cfg": {"type": "ResumableIterLoop", "max_iters": 4},
    }
    used = {
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.2}, "clip_grad": {"max_norm": 1}},
        "param_scheduler": [{"type": "PolyLR", "end": 6}],
        "train_cfg": {"type": "IterBasedTrainLoop", "max_iters": 6},
    }
    whole = ("optimizer", "param_schedulers")
    kept, changed = resumed_settings(trained, used, whole)
    lr = "optim_wrapper.optimizer.lr was 0.1 in training and is 0.2 here"
    end = "param_scheduler.0.end was 4 in training and is 6 here"
    assert kept.startswith(f"{lr}; {end}; the checkpoint's value holds")
    assert changed.startswith("train_cfg.max_iters was 4 in training and is 6 here; the config's")
    (alone,) = trained["param_scheduler"]
    assert resumed_settings(trained, {**trained, "param_scheduler": alone}, whole) == []
    # what the checkpoint lacks is the config's
    kept, changed = resumed_settings(trained, used, ["param_schedulers"])
    assert kept.startswith(f"{end}; the checkpoint's value holds")
    assert resumed_settings(trained, used, ()) == [changed]
