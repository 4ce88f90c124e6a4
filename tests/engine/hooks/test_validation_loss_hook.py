"""The loss of validation is the head's own on the same images."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.engine import ValidationLossHook, build_model, build_runner
from glore_seg.engine.hooks import validation_loss_hook
from glore_seg.errors import ConfigError
from glore_seg.visualization import read_scalars
from tests.configs.shrinking import name_run
from tests.fixtures import STREET_SCENES

SIZE = (40, 72)
BINARY = {
    "model.decode_head.num_classes": 2,
    "model.decode_head.out_channels": 1,
    "model.decode_head.loss_decode": {"type": "CrossEntropyLoss", "use_sigmoid": True},
}
TWO_LOSSES = [{"type": "CrossEntropyLoss"}, {"type": "DiceLoss", "loss_weight": 3.0}]


def network(**changes):
    torch.manual_seed(0)
    return build_model(load_config(str(STREET_SCENES), cfg_options=SMALL_NETWORK | changes)).eval()


def batch(model, number):
    generator = torch.Generator().manual_seed(number)
    images = [torch.randint(0, 256, (3, *SIZE), generator=generator) for _ in range(number)]
    samples = []
    for _ in images:
        label = torch.randint(0, model.decode_head.num_classes, (1, *SIZE), generator=generator)
        label[:, :9] = 255
        sample = SegDataSample(gt_sem_seg=PixelData(data=label))
        sample.set_metainfo({"img_shape": SIZE, "ori_shape": SIZE, "img_path": "a.png"})
        samples.append(sample)
    return {"inputs": [image.byte() for image in images], "data_samples": samples}


def measured(model, *batches):
    runner = SimpleNamespace(model=model, val_loop=object())
    runner.val_dataloader = SimpleNamespace(dataset=range(sum(len(b["inputs"]) for b in batches)))
    hook, metrics = ValidationLossHook(), {"mIoU": 50.0}
    hook.before_train(runner)
    hook.before_val_epoch(runner)
    for index, one in enumerate(batches):
        with torch.no_grad():
            outputs = model.val_step(one)
        hook.after_val_iter(runner, index, one, outputs)
    hook.after_val_epoch(runner, metrics)
    assert metrics["mIoU"] == 50.0
    return metrics["val_loss"]


@pytest.mark.parametrize("changes", [{}, BINARY, {"model.decode_head.loss_decode": TWO_LOSSES}])
def test_is_the_heads_own_averaged_over_images(changes):
    model = network(**changes)
    batches = [batch(model, 2), batch(model, 1)]
    expected = []
    for one in batches:
        for image, sample in zip(one["inputs"], one["data_samples"], strict=True):
            single = {"inputs": [image], "data_samples": [sample]}
            data = model.data_preprocessor(single, False)
            with torch.no_grad():
                features = model.extract_feat(data["inputs"])
                losses = model.decode_head.loss(features, data["data_samples"], {})
            expected.append(sum(v for name, v in losses.items() if "loss" in name).item())
    assert len({*expected}) == 3
    assert measured(model, *batches) == pytest.approx(sum(expected) / 3, rel=1e-5)


def test_what_has_no_such_loss():
    model = network()
    hook = ValidationLossHook()
    runner = SimpleNamespace(model=torch.nn.Identity(), val_loop=object())
    for begin in (hook.before_train, hook.before_val):
        with pytest.raises(ConfigError, match="NoneType"):
            begin(runner)
    runner.val_loop = None
    hook.before_train(runner)
    one = batch(model, 1)
    del one["data_samples"][0].gt_sem_seg
    with pytest.raises(ConfigError, match=r"a\.png has no gt_sem_seg"):
        measured(model, one)


@pytest.mark.parametrize("gathered", [[[1.0, 3.0], [2.0]], [[1.0, 3.0], [2.0, 99.0]]])
def test_images_that_two_processes_do_not_share_evenly(monkeypatch, gathered):
    """The sampler gives the second one a first image once more, or nothing."""
    monkeypatch.setattr(validation_loss_hook, "all_gather_object", lambda losses: gathered)
    runner, metrics = SimpleNamespace(val_dataloader=SimpleNamespace(dataset=range(3))), {}
    ValidationLossHook().after_val_epoch(runner, metrics)
    assert metrics == {"val_loss": 2.0}


def test_a_training_saves_the_best(small_cfg, tmp_path):
    name_run(small_cfg, tmp_path)
    small_cfg.custom_hooks = [{"type": "ValidationLossHook"}]
    small_cfg.train_cfg.update(max_iters=2, val_interval=1)
    small_cfg.val_dataloader.dataset.indices = 2
    small_cfg.default_hooks.checkpoint = {"type": "CheckpointHook", "interval": 9}
    small_cfg.default_hooks.checkpoint |= {"by_epoch": False, "save_best": "val_loss"}
    small_cfg.default_hooks.logger.interval = 1
    build_runner(small_cfg).train()
    scalars = read_scalars(tmp_path)
    found = dict(scalars["val_loss"])
    assert {*found} == {1, 2}
    assert len(scalars["loss"]) == 2
    best = min(found, key=found.get)
    assert [path.name for path in tmp_path.glob("best*")] == [f"best_val_loss_iter_{best}.pth"]
