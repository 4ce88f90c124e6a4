"""The unit on one GPU in bf16 against its two floors, with and without torch.compile.

``python -m benchmarks.gpu --json gpu.json`` takes a few minutes, most of them compiling.

Floors: X is read twice and written once at the rate of a plain copy, and the three products of
C x N x L run at the rate of a large square product; both rates are measured here. The backward
pass reads X, its gradient twice and B, writes one gradient, and has six products.
"""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.common import begin, finish, make_parser
from benchmarks.unit import Shape, make, multiply_adds

SHAPES = (
    Shape("segmentation", 1, 512, 64, 128, (128, 256)),
    Shape("segmentation", 8, 512, 64, 128, (96, 96)),
)


def milliseconds(way: Callable[[], object], rounds: int) -> float:
    """Median time on the device, with its cache flushed before every round."""
    for _ in range(5):
        way()
    flush = torch.empty(256 * 2**20, dtype=torch.int8, device="cuda")
    found = []
    for _ in range(rounds):
        flush.zero_()
        begin_event, end_event = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin_event.record()
        way()
        end_event.record()
        torch.cuda.synchronize()
        found.append(begin_event.elapsed_time(end_event))
    return median(found)


def rates(rounds: int) -> tuple[float, float]:
    """Bytes a millisecond of a copy, both ways counted, and bf16 multiply-adds a millisecond."""
    source = torch.empty(512 * 2**20, dtype=torch.int8, device="cuda")
    target = torch.empty_like(source)
    copied = 2 * source.numel() / milliseconds(lambda: target.copy_(source), rounds)
    square = torch.randn(8192, 8192, dtype=torch.bfloat16, device="cuda")
    return copied, 8192**3 / milliseconds(lambda: square @ square, rounds)


def run(unit: nn.Module, x: Tensor, gradient: Tensor | None) -> Tensor | None:
    """One pass of inference, or one of training where a gradient is given."""
    if gradient is None:
        with torch.no_grad():
            return unit(x)
    unit(x).backward(gradient)
    x.grad = None
    return None


def graphed(way: Callable[[], object]) -> Callable[[], object]:
    """Replay of a CUDA graph of it, without the cost of launching each kernel."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            way()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        way()
    return graph.replay


def measure(
    shape: Shape, *, channels_last: bool, copied: float, multiplied: float, rounds: int
) -> list[dict[str, Any]]:
    """Rows of one shape in one memory format: forward, and forward with backward."""
    released, ours, x = make(shape, channels_last=channels_last)
    x = x.to("cuda", torch.bfloat16)
    size = x.numel() * x.element_size()
    product = shape.batch * shape.channels * shape.nodes * x[0, 0].numel()
    rows = []
    for title, training, passes, products in (
        ("forward", False, 3, 3),
        ("forward + backward", True, 7, 9),
    ):
        units = {
            name: unit.to("cuda", torch.bfloat16).train(training)
            for name, unit in (("authors", released), ("ours", ours))
        }
        gradient = torch.randn_like(x) if training else None
        leaf = x.clone().requires_grad_(training)
        floor = max(passes * size / copied, products * product / multiplied)
        row: dict[str, Any] = {
            "shape": str(shape),
            "format": "channels-last" if channels_last else "NCHW",
            "pass": title,
            "floor by bytes, ms": round(passes * size / copied, 4),
            "floor by products, ms": round(products * product / multiplied, 4),
        }
        for name, unit in units.items():
            compiled = torch.compile(unit, fullgraph=True)
            way = partial(run, unit, leaf, gradient)
            row[f"{name}, eager, ms"] = round(milliseconds(way, rounds), 4)
            row[f"{name}, CUDA graph, ms"] = round(milliseconds(graphed(way), rounds), 4)
            way = partial(run, compiled, leaf, gradient)
            row[f"{name}, compiled, ms"] = round(milliseconds(way, rounds), 4)
        best = min(value for key, value in row.items() if key.startswith("ours"))
        row["best of ours, times the floor"] = best / floor
        row["multiply-adds, ours, G"] = multiply_adds(shape)["ours"]
        rows.append(row)
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Measure both shapes in both memory formats."""
    parser = make_parser(
        "Time the GloRe unit in bf16 on one GPU against its floors.",
        example="python -m benchmarks.gpu --json gpu.json",
    )
    parser.set_defaults(rounds=50)
    args = parser.parse_args(argv)
    if not torch.cuda.is_available():
        parser.error("no GPU found: torch.cuda.is_available() is False")
    header = begin(args, device="cuda")
    copied, multiplied = rates(args.rounds)
    header["copy, GB/s"] = round(copied / 1e6)
    header["bf16, T multiply-adds/s"] = round(multiplied / 1e9)
    rows = [
        row
        for shape in SHAPES
        for channels_last in (False, True)
        for row in measure(
            shape,
            channels_last=channels_last,
            copied=copied,
            multiplied=multiplied,
            rounds=args.rounds,
        )
    ]
    finish(args, header, {"The unit on one GPU": rows})


if __name__ == "__main__":
    main()
