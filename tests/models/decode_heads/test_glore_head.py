"""The head against its closed form and mmseg's FCNHead."""

import pytest
import torch
from mmseg.models.decode_heads import FCNHead

from glore_seg.errors import ConfigError
from glore_seg.models import GloReHead
from tests.models.base import ModelTests

SMALL = {
    "in_channels": 10,
    "channels": 16,
    "num_classes": 5,
    "in_index": 0,
    "norm_cfg": {"type": "BN"},
    "dropout_ratio": 0.0,
    "num_nodes": 4,
}


class TestGloReHead(ModelTests):
    in_channels = 10
    strides = (1,)

    def build(self):
        return GloReHead(**SMALL, num_units=2)

    def run(self, model, x):
        return (model((x,)),)


@pytest.mark.parametrize("num_units", [0, 1, 2])
def test_number_of_parameters(num_units):
    sizes = {"in_channels": 2048, "channels": 512, "num_classes": 19, "norm_cfg": {"type": "BN"}}
    head = GloReHead(**sizes, num_units=num_units)
    c, n, s = 512, 64, 128
    unit = (c * s + s) + (c * n + n) + (n * n + n) + s * s + s * c + 2 * c
    convs = 2048 * c * 9 + 2 * c + c * c * 9 + 2 * c
    assert unit == 185_600
    count = sum(p.numel() for p in head.parameters())
    assert count == convs + num_units * unit + c * 19 + 19


def test_without_units_it_is_the_fcn_head():
    torch.manual_seed(0)
    arguments = {k: v for k, v in SMALL.items() if k != "num_nodes"}
    fcn = FCNHead(**arguments, num_convs=2, concat_input=False).eval()
    head = GloReHead(**SMALL, num_units=0).eval()
    head.load_state_dict(fcn.state_dict())
    x = (torch.randn(2, 10, 9, 7),)
    assert torch.equal(head(x), fcn(x))


def test_units_are_between_the_convolutions():
    head = GloReHead(**SMALL, num_units=1, unit_cfg={"zero_init": False}).eval()
    x = torch.randn(1, 10, 9, 7)
    expected = head.conv_seg(head.convs[1](head.units[0](head.convs[0](x))))
    assert torch.equal(head((x,)), expected)


def test_paddleseg_form():
    head = GloReHead(**SMALL, num_convs=1, kernel_size=1, unit_cfg={"act_position": "after"}).eval()
    assert len(head.convs) == 1
    assert head.convs[0].conv.kernel_size == (1, 1)
    assert head.units[0].gcn.act_position == "after"
    x = torch.randn(1, 10, 9, 7)
    assert torch.equal(head((x,)), head.conv_seg(head.units(head.convs[0](x))))


def test_unit_cfg_overrides_the_nodes():
    (unit,) = GloReHead(**SMALL, unit_cfg={"num_nodes": 3}).units
    assert (unit.num_nodes, unit.num_states) == (3, 6)


@pytest.mark.parametrize("norm", ["BN", "SyncBN"])
def test_norm_of_the_units(norm):
    unit = GloReHead(**{**SMALL, "norm_cfg": {"type": norm}}).units[0]
    assert type(unit.blocker).__name__ == {"BN": "BatchNorm2d", "SyncBN": "SyncBatchNorm"}[norm]
    assert unit.blocker.eps == 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_units": -1}, "num_units must be at least 0, got -1"),
        ({"num_convs": 3}, "num_convs must be 2 .*got 3"),
        ({"kernel_size": 2}, "kernel_size must be odd and positive, got 2"),
        ({"num_nodes": 0}, "num_nodes must be at least 1, got 0"),
        ({"pool_scales": (1, 2)}, "GloReHead has no pool_scales; .*_delete_=True"),
        ({"in_channels": [8, 10], "in_index": [0, 1]}, r"\[8, 10\] .*resize_concat"),
        (
            {"in_channels": (8, 10), "in_index": (0, 1), "input_transform": "multiple_select"},
            r"\(8, 10\) .*resize_concat",
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=message):
        GloReHead(**{**SMALL, **arguments})
