"""Networks on ImageNet, as the rows of several tables name them."""

from functools import partial

from glore_seg.layers.extra_units import UnitType
from glore_seg.layers.preact import PreActClassifier
from projects.reproduction.paper_tables.row import Row

_TITLES = {
    "resnet50": "ResNet-50",
    "resnet152": "ResNet-152",
    "resnet200": "ResNet-200",
    "se-resnet50": "SE-ResNet-50",
    "resnext101-32x4d": "ResNeXt-101 32x4d",
    "dpn98": "DPN-98",
    "dpn131": "DPN-131",
}
_UNITS: dict[UnitType, str] = {
    "glore": "GloRe",
    "nonlocal": "NL",
    "nonlocal-pooled": "pooled NL",
}


def imagenet_row(
    table: str,
    arch: str,
    units: tuple[int, int] = (0, 0),
    *,
    unit_type: UnitType = "glore",
    num_graph_convs: int | None = None,
    params: float | None = None,
    macs: float | None = None,
    top1: float | None = None,
) -> Row:
    """Make a row of a network at 224 x 224.

    Args:
        table: Title of the table.
        arch: A name of :data:`glore_seg.layers.preact.ARCHITECTURES`.
        units: Units on Res3 and on Res4.
        unit_type: What kind of units.
        num_graph_convs: Graph convolutions in a unit. Default: one.
        params: What the paper prints, in millions.
        macs: What the paper prints, in thousands of millions.
        top1: What the paper prints, in percent.
    """
    name = _TITLES[arch]
    if any(units):
        name += f" + {_UNITS[unit_type]} ({units[0]},{units[1]})"
    unit_cfg = {}
    if num_graph_convs is not None and num_graph_convs > 1:
        name += f", g = {num_graph_convs}"
        unit_cfg = {"num_graph_convs": num_graph_convs}
    return Row(
        table=table,
        network=name,
        build=partial(
            PreActClassifier,
            arch,
            num_units=(0, *units, 0),
            unit_type=unit_type,
            unit_cfg=unit_cfg,
        ),
        input_shape=(1, 3, 224, 224),
        paper_params=None if params is None else round(params * 1e6),
        paper_macs=None if macs is None else round(macs * 1e9),
        paper_top1=top1,
    )
