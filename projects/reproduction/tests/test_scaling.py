"""The estimate against the formulas written out, and what is counted of a network."""

import json

import pytest
from mmengine.config import Config

from glore_seg.apis import load_config
from glore_seg.apis.complexity import count_config
from glore_seg.engine import build_model
from projects.reproduction.scaling import MIB, Messages, buckets, count_messages, estimate

LINK = {"bandwidth": 1e9, "latency": 1e-5}
HEAD = {"type": "FCNHead", "in_channels": 8, "in_index": -1, "channels": 4, "num_convs": 1}


def network(order, norm="SyncBN"):
    """One convolution of 8 channels with a norm, a unit in the head, and an auxiliary head."""
    norm_cfg = {"type": norm}
    head = {**HEAD, "num_classes": 3, "norm_cfg": norm_cfg}
    unit = {"type": "GloReHead", "num_nodes": 2, "num_states": 3, "unit_cfg": {"order": order}}
    stage = {"num_stages": 1, "strides": (1,), "dilations": (1,), "out_indices": (0,)}
    channels = {"base_channels": 8, "stem_channels": 8}
    backbone = {"type": "ResNetV1c", "depth": 18, **channels, **stage, "norm_cfg": norm_cfg}
    model = {"backbone": backbone, "decode_head": {**head, **unit}, "auxiliary_head": head}
    return Config({"default_scope": "mmseg", "model": {"type": "EncoderDecoder", **model}})


@pytest.mark.parametrize("order", ["coordinate", "interaction"])
def test_statistics_on_gpus(order):
    """torch gathers 2 C + 1 numbers and reduces 2 C; the interaction space reduces only."""
    model = build_model(network("coordinate"))
    norms = [m for m in model.modules() if type(m).__name__ == "SyncBatchNorm"]
    norms.remove(model.decode_head.units[0].blocker)
    last, channels = 4, [norm.num_features for norm in norms]
    assert len(channels) == 10
    found = count_messages(network(order), (3, 32, 32))
    folded = order == "interaction"
    others = channels if folded else [*channels, last]
    assert sorted(found.gathered) == sorted(4 * (2 * c + 1) for c in others)
    own = [4 * n for n in (last + 1, last, last, last + 1)] if folded else []
    assert sorted(found.reduced) == sorted([*own, *(4 * 2 * c for c in others)])


def test_norms_of_each_process_and_frozen_ones_send_nothing():
    found = count_messages(network("auto", norm="BN"), (3, 32, 32))
    assert (found.reduced, found.gathered) == ((), ())
    cfg = network("auto")
    before = count_messages(cfg, (3, 32, 32))
    cfg.model.backbone.update(norm_eval=True, frozen_stages=1)
    after = count_messages(cfg, (3, 32, 32))
    assert len(after.gathered) < len(before.gathered)
    assert sum(after.gradients) < sum(before.gradients)


def test_gradients_of_a_published_network():
    """35.5 million parameters of 4 bytes, in buckets of 25 MiB behind a first one of 1 MiB."""
    cfg = load_config("glore_seg::fcn_r50_glore_cityscapes.py")
    found = count_messages(cfg, (3, 64, 64))
    assert sum(found.gradients) == 4 * count_config(cfg, (3, 64, 64)).params
    assert all(size >= 25 * MIB for size in found.gradients[1:-1])


def test_buckets():
    assert buckets([], 25) == ()
    assert buckets([MIB // 2, MIB // 2, 20 * MIB, 4 * MIB, MIB, 3], 25) == (MIB, 25 * MIB, 3)
    assert buckets([MIB // 4] * 3, 0.5) == (MIB // 2, MIB // 4)


def test_estimate_by_hand():
    messages = Messages(gradients=(2_000_000, 1_000_000), reduced=(400,), gathered=(100,))
    found = estimate(messages, processes=4, step=0.1, **LINK)
    last = 6 * (1_000_000 / 4e9 + 1e-5)
    statistics, loop = 6 * (400 / 4e9 + 1e-5) + 3 * (100 / 1e9 + 1e-5), 6 * (12 / 4e9 + 2e-5)
    assert found == pytest.approx(
        {
            "alone": 0.1,
            "gradients": 6 * (2_000_000 / 4e9 + 1e-5) + last,
            "waited_gradients": last,
            "statistics": statistics,
            "loop": loop,
            "step": 0.1 + last + statistics + loop,
        }
    )


def test_gradients_that_outlast_the_backward_pass_are_waited_for():
    messages = Messages((10**9, 10**6), reduced=(), gathered=())
    found = estimate(messages, processes=2, step=0.3, **LINK)
    assert found["waited_gradients"] == pytest.approx(found["gradients"] - 0.2)
    assert estimate(messages, processes=1, step=0.3, **LINK)["step"] == 0.3


@pytest.mark.parametrize(
    "options", [{"processes": 0}, {"step": 0}, {"bandwidth": 0}, {"latency": -1}]
)
def test_what_cannot_be(options):
    with pytest.raises(ValueError, match="; expected 1 process or more"):
        estimate(Messages((), (), ()), **{"processes": 1, "step": 0.1, **LINK, **options})


def test_table_and_json_say_the_same(load_tool, small_config, capsys):
    arguments = [small_config, "--gpus", "4", "--step-ms", "50", "--bandwidth", "1"]
    load_tool("projects.reproduction.scaling")(arguments)
    table = capsys.readouterr().out
    load_tool("projects.reproduction.scaling")([*arguments, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["efficiency"] == pytest.approx(0.05 / found["seconds"]["step"])
    assert f"efficiency: {found['efficiency']:.1%}" in table
    rows = [line.split()[:2] for line in table.splitlines()]
    assert ["gradients", str(len(found["bytes"]["gradients"]))] in rows
