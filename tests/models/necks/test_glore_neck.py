"""The neck applies units to its levels and returns the others unchanged."""

import pytest
import torch
from mmseg.registry import MODELS
from torch import nn

from glore_seg.apis import load_config
from glore_seg.errors import ConfigError
from glore_seg.models import GloReNeck


def make_neck(**options):
    torch.manual_seed(0)
    return GloReNeck((8, 16, 12), unit_cfg={"zero_init": False}, **options)


def features():
    return tuple(torch.randn(2, c, s, s + 1) for c, s in ((8, 9), (16, 5), (12, 3)))


def test_levels_and_order():
    neck = make_neck(levels=(-1, 0), num_units=2)
    inputs = features()
    outs = neck(inputs)
    assert [tuple(o.shape) for o in outs] == [tuple(i.shape) for i in inputs]
    assert outs[1] is inputs[1]
    for level in (0, 2):
        units = neck.units[str(level)]
        assert len(units) == 2
        # BatchNorm's batch statistics make the second pass equal to the first.
        assert torch.equal(outs[level], units[1](units[0](inputs[level])))


def test_norm_and_nodes():
    neck = GloReNeck((8, 16), norm_cfg={"type": "GN", "num_groups": 4}, unit_cfg={"num_nodes": 3})
    unit = neck.units["1"][0]
    assert isinstance(unit.blocker, nn.GroupNorm)
    assert (unit.num_nodes, unit.num_states) == (3, 6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_units": 0}, "num_units must be at least 1, got 0"),
        ({"levels": (3,)}, r"levels are \(3,\); expected different indices of the 3"),
        ({"levels": (2, -1)}, r"levels are \(2, -1\); expected different"),
        ({"out_channels": 256, "num_outs": 4}, r"num_outs, out_channels; .*_base_\.model\.neck"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ConfigError, match=message):
        make_neck(**options)


def test_other_feature_maps():
    inputs = features()
    make_neck(levels=(0,))((inputs[0], inputs[0], inputs[0]))  # the others may have any channels
    with pytest.raises(ConfigError, match=r"set in_channels=\(8, 16\)"):
        make_neck()(inputs[:2])
    with pytest.raises(ConfigError, match=r"\(8, 16, 12\), .*set in_channels=\(8, 16, 16\)"):
        make_neck()((*inputs[:2], inputs[1]))


def test_a_config_with_a_neck_keeps_it(tmp_path):
    path = tmp_path / "child.py"
    path.write_text(
        "_base_ = 'mmseg::sem_fpn/fpn_r50_4xb2-80k_cityscapes-512x1024.py'\n"
        "own = dict(type='GloReNeck', in_channels=(256, 512, 1024, 2048))\n"
        "model = dict(neck=[own, _base_.model.neck])\n"
    )
    neck = MODELS.build(load_config(str(path)).model.neck)
    outs = neck([torch.randn(2, c, s, s) for c, s in ((256, 8), (512, 4), (1024, 2), (2048, 2))])
    assert [type(part).__name__ for part in neck] == ["GloReNeck", "FPN"]
    assert [out.shape[1] for out in outs] == [256] * 4
