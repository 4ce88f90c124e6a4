"""Compare the unit with the authors' implementation: time, memory, MACs, growth with size.

``python -m benchmarks.unit --threads 2 --json unit.json --plot unit.png``
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.common import begin, draw_lines, finish, make_parser
from glore_seg.layers import GloReUnit
from glore_seg.layers.evaluation_order import (
    coordinate_macs,
    costs_less_in_interaction_space,
    interaction_macs,
)
from projects.reproduction.measure import saved_bytes, side_by_side
from tests.reference.released_unit import ReleasedUnit

UNITS = ("authors", "ours")
CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


class Shape(NamedTuple):
    """A unit and its input."""

    use: str
    batch: int
    channels: int
    nodes: int
    states: int
    sizes: tuple[int, ...]
    normalize: bool = True

    def __str__(self) -> str:
        return f"{self.use}, {' x '.join(map(str, (self.batch, self.channels, *self.sizes)))}"


SHAPES = (
    Shape("segmentation", 1, 512, 64, 128, (128, 256)),
    Shape("segmentation", 2, 512, 64, 128, (97, 97)),
    Shape("segmentation", 2, 512, 64, 128, (64, 64)),
    Shape("classification", 8, 512, 128, 256, (28, 28), False),
    Shape("classification", 8, 1024, 256, 512, (14, 14), False),
    Shape("classification", 32, 1024, 256, 512, (14, 14), False),
    Shape("video", 1, 512, 128, 256, (8, 28, 28), False),
    Shape("video", 1, 1024, 256, 512, (8, 14, 14), False),
)
GROWTH = tuple(
    Shape("growth", 1, 512, 64, 128, sizes)
    for sizes in ((2 ** (k // 2), 2 ** (k - k // 2)) for k in range(10, 19))
)


def make(shape: Shape, *, channels_last: bool) -> tuple[ReleasedUnit, GloReUnit, Tensor]:
    """Build both units with the same weights, and their input."""
    ndim = len(shape.sizes)
    options: dict[str, Any] = {"ndim": ndim, "normalize": shape.normalize}
    released = ReleasedUnit(shape.channels, shape.nodes, shape.states, **options)
    nn.init.normal_(released.blocker.weight)
    ours = GloReUnit(shape.channels, shape.nodes, shape.states, **options)
    ours.load_state_dict(released.state_dict())
    memory_format = CHANNELS_LAST[ndim] if channels_last else torch.contiguous_format
    x = torch.randn(shape.batch, shape.channels, *shape.sizes)
    return (
        released.to(memory_format=memory_format),
        ours.to(memory_format=memory_format),
        x.contiguous(memory_format=memory_format),
    )


def ways(units: dict[str, nn.Module], x: Tensor, *, backward: bool) -> dict[str, Callable]:
    """Functions to time: forward in evaluation, or forward and backward in training."""

    def run(unit: nn.Module, leaf: Tensor, gradient: Tensor) -> None:
        unit(leaf).backward(gradient)
        leaf.grad = None

    @torch.no_grad()
    def infer(unit: nn.Module) -> Tensor:
        return unit(x)

    for unit in units.values():
        unit.train(backward)
    if not backward:
        return {name: lambda unit=unit: infer(unit) for name, unit in units.items()}
    leaf, gradient = x.clone().requires_grad_(), torch.randn_like(x)
    return {name: lambda unit=unit: run(unit, leaf, gradient) for name, unit in units.items()}


def saved(unit: nn.Module, x: Tensor) -> float:
    """Bytes saved for the backward pass beyond X and the parameters, in units of X."""
    leaf = x.clone().requires_grad_()
    kept = saved_bytes(lambda: unit.train()(leaf), beyond=[leaf, *unit.parameters()])
    return kept / (x.numel() * x.element_size())


def count_macs(shape: Shape) -> dict[str, float]:
    """MACs of one forward pass in evaluation, in G."""
    parts = (shape.channels, shape.nodes, shape.states, prod(shape.sizes))
    graph = shape.nodes * shape.states * (shape.nodes + shape.states)
    counts = {"authors": coordinate_macs(*parts, shared=True)}
    counts["ours"] = counts["authors"]
    if costs_less_in_interaction_space(*parts, shared=True, covariance=False):
        counts["ours"] = interaction_macs(*parts, shared=True, covariance=False)
    return {name: shape.batch * (count + graph) / 1e9 for name, count in counts.items()}


def measure(
    shape: Shape, *, channels_last: bool, rounds: int, max_seconds: float
) -> dict[str, Any]:
    """One row of the table."""
    released, ours, x = make(shape, channels_last=channels_last)
    units = {"authors": released, "ours": ours}
    row: dict[str, Any] = {
        "shape": str(shape),
        "format": "channels-last" if channels_last else "NCHW",
    }
    for title, backward in (("forward", False), ("forward + backward", True)):
        timings = side_by_side(
            ways(units, x, backward=backward), rounds=rounds, max_seconds=max_seconds
        )
        for name, timing in timings.items():
            row[f"{title}, {name}, ms"] = timing.milliseconds
        row[f"{title}, speedup"] = timings["ours"].times_faster_than(timings["authors"])
    for name, unit in units.items():
        row[f"saved, {name}, X"] = saved(unit, x)
    for name, count in count_macs(shape).items():
        row[f"MACs, {name}, G"] = count
    return row


def main(argv: Sequence[str] | None = None) -> None:
    """Measure all shapes in both formats and the growth with size, print and draw."""
    parser = make_parser(
        "Time the GloRe unit against the authors' implementation.",
        example="python -m benchmarks.unit --threads 2 --json unit.json --plot unit.png",
    )
    parser.add_argument(
        "--max-seconds", type=float, default=4.0, help="time limit of a cell (default: 4)"
    )
    parser.add_argument("--only", help="measure only shapes whose name contains this text")
    parser.add_argument(
        "--largest", type=int, default=2**18, help="largest number of positions (default: 262144)"
    )
    args = parser.parse_args(argv)
    header = begin(args)
    limits = {"rounds": args.rounds, "max_seconds": args.max_seconds}
    rows = []
    for shape in SHAPES:
        if args.only and args.only not in str(shape):
            continue
        for channels_last in (False, True):
            rows.append(measure(shape, channels_last=channels_last, **limits))
    growth = []
    for shape in GROWTH:
        if prod(shape.sizes) <= args.largest:
            row = measure(shape, channels_last=False, **limits)
            growth.append({"positions": prod(shape.sizes), **row})
    finish(args, header, {"The unit": rows, "Growth with size": growth})
    if args.plot:
        titles = [f"{t}, {n}, ms" for t in ("forward", "forward + backward") for n in UNITS]
        lines = {
            title.removesuffix(", ms"): [(row["positions"], row[title]) for row in growth]
            for title in titles
        }
        draw_lines(
            args.plot,
            lines,
            title=f"GloRe unit, C 512, N 64, S 128, fp32, {header['threads']} threads",
            xlabel="positions L",
            ylabel="milliseconds",
        )


if __name__ == "__main__":
    main()
