"""Table 5: 3D networks on Kinetics-400, clips of 8 frames at interval 8; top-1 is that of one clip.

No one backbone gives the printed MACs, but the difference between the two kinds of unit is
that of the networks here. The plain networks, of which the table prints nothing, stand beside.
"""

from functools import partial
from typing import Any

from glore_seg.layers import VideoResNet
from projects.reproduction.paper_tables.row import Row

_PLAIN = {"num_units": (0, 0, 0, 0)}
_NONLOCAL = {"unit_type": "nonlocal-pooled"}

# Depth, what is added, and what the paper prints: MACs in thousands of millions, top-1.
_PRINTED: tuple[tuple[int, str, dict[str, Any], float | None, float | None], ...] = (
    (50, "", _PLAIN, None, None),
    (50, " + pooled NL (2,3)", _NONLOCAL, 30.5, 67.12),
    (50, " + GloRe (2,3)", {}, 28.9, 68.02),
    (101, "", _PLAIN, None, None),
    (101, " + pooled NL (2,3)", _NONLOCAL, 56.1, 68.48),
    (101, " + GloRe (2,3)", {}, 54.5, 68.78),
)

ROWS = tuple(
    Row(
        table="Table 5",
        network=f"3D ResNet-{depth}{units}",
        build=partial(VideoResNet, depth, **options),
        input_shape=(1, 3, 8, 224, 224),
        paper_macs=None if macs is None else round(macs * 1e9),
        paper_top1=top1,
    )
    for depth, units, options, macs, top1 in _PRINTED
)
