"""Measure on a GPU the unit in bf16 against its lower bounds, and the network.

``python -m benchmarks.gpu --json gpu.json --plot gpu.png`` takes less than ten minutes,
mostly for compiling. The rows of the unit are written before those of the network, which is
``benchmarks.model --device cuda``. ``--rehearse`` runs without a GPU.

Bounds: X is read twice and written once at the rate of a copy, and the three products of C x N x L
run at the rate of a large square product; both rates are measured. The backward pass reads X, its
gradient twice and B, writes one gradient, and has six products.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import model
from benchmarks.common import begin, make_parser, print_tables, write_json
from benchmarks.unit import Shape, count_macs, make
from projects.reproduction.measure import side_by_side

SHAPES = (
    Shape("segmentation", 1, 512, 64, 128, (128, 256)),
    Shape("segmentation", 8, 512, 64, 128, (96, 96)),
)
REHEARSED = (Shape("rehearsal", 1, 16, 4, 8, (6, 7)),)
SECONDS_A_TABLE = 60.0


def milliseconds(way: Callable[[], object], rounds: int, *, device: str) -> float:
    """Median time on the device; a GPU's cache is flushed before every round."""
    if device == "cpu":
        return side_by_side({"way": way}, rounds=rounds)["way"].milliseconds
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


def rates(rounds: int, *, device: str, size: int, side: int) -> tuple[float, float]:
    """Bytes per ms of a copy, read and write counted, and bf16 MACs per ms.

    Args:
        rounds: Number of timings of each.
        device: ``"cuda"`` or ``"cpu"``.
        size: Bytes to copy.
        side: Rows and columns of the product's factors.
    """
    source = torch.empty(size, dtype=torch.int8, device=device)
    target = torch.empty_like(source)
    copied = 2 * size / milliseconds(lambda: target.copy_(source), rounds, device=device)
    square = torch.randn(side, side, dtype=torch.bfloat16, device=device)
    return copied, side**3 / milliseconds(lambda: square @ square, rounds, device=device)


def run(unit: nn.Module, x: Tensor, gradient: Tensor | None) -> Tensor | None:
    """One pass of inference, or of training if a gradient is given."""
    if gradient is None:
        with torch.no_grad():
            return unit(x)
    unit(x).backward(gradient)
    x.grad = None
    return None


def graphed(way: Callable[[], object]) -> Callable[[], object]:
    """Replay of a CUDA graph, without the cost of launching each kernel."""
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


def ways(
    unit: nn.Module, x: Tensor, gradient: Tensor | None
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Variants of running the unit; on a CPU only eager."""
    way = partial(run, unit, x, gradient)
    yield "eager", way
    if x.is_cuda:
        yield "CUDA graph", graphed(way)
        # Otherwise the second shape is compiled for all shapes, and the ninth unit not at all.
        torch.compiler.reset()
        yield "compiled", partial(run, torch.compile(unit, fullgraph=True), x, gradient)


def measure(
    shape: Shape,
    *,
    channels_last: bool,
    copied: float,
    multiplied: float,
    rounds: int,
    device: str,
) -> list[dict[str, Any]]:
    """Rows of one shape in one memory format: forward, and forward with backward."""
    released, ours, x = make(shape, channels_last=channels_last)
    x = x.to(device, torch.bfloat16)
    size = x.numel() * x.element_size()
    product = shape.batch * shape.channels * shape.nodes * x[0, 0].numel()
    rows = []
    for what, training, passes, products in (
        ("forward", False, 3, 3),
        ("forward + backward", True, 7, 9),
    ):
        units = {
            name: unit.to(device, torch.bfloat16).train(training)
            for name, unit in (("authors", released), ("ours", ours))
        }
        gradient = torch.randn_like(x) if training else None
        leaf = x.clone().requires_grad_(training)
        floor = max(passes * size / copied, products * product / multiplied)
        row: dict[str, Any] = {
            "shape": str(shape),
            "format": "channels-last" if channels_last else "NCHW",
            "pass": what,
            "floor by bytes, ms": round(passes * size / copied, 4),
            "floor by products, ms": round(products * product / multiplied, 4),
        }
        for name, unit in units.items():
            for title, way in ways(unit, leaf, gradient):
                row[f"{name}, {title}, ms"] = round(milliseconds(way, rounds, device=device), 4)
        best = min(value for key, value in row.items() if key.startswith("ours"))
        row["best of ours, times the floor"] = best / floor
        row["MACs, ours, G"] = count_macs(shape)["ours"]
        rows.append(row)
    return rows


def main(argv: Sequence[str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Measure the unit at both shapes in both memory formats, then the network."""
    parser = make_parser(
        "Time the GloRe unit in bf16 on one GPU against its lower bounds, and a network.",
        example="python -m benchmarks.gpu --json gpu.json --plot gpu.png",
    )
    parser.add_argument(
        "--rehearse",
        action="store_true",
        help="run it all at tiny sizes on the CPU, without CUDA graphs and torch.compile",
    )
    parser.set_defaults(rounds=50)
    args = parser.parse_args(argv)
    if not (args.rehearse or torch.cuda.is_available()):
        parser.error("no GPU found: torch.cuda.is_available() is False")
    device, shapes, size, side = "cuda", SHAPES, 512 * 2**20, 8192
    network: dict[str, Any] = {}
    if args.rehearse:
        device, shapes, size, side = "cpu", REHEARSED, 2**20, 64
        network = {"train_size": (64, 64), "test_size": (64, 128)}
    header, started = begin(args, device=device), time.monotonic()
    copied, multiplied = rates(args.rounds, device=device, size=size, side=side)
    header["copy, GB/s"] = round(copied / 1e6)
    header["bf16, T MACs/s"] = round(multiplied / 1e9)
    tables = {
        "The unit on one GPU": [
            row
            for shape in shapes
            for channels_last in (False, True)
            for row in measure(
                shape,
                channels_last=channels_last,
                copied=copied,
                multiplied=multiplied,
                rounds=args.rounds,
                device=device,
            )
        ]
    }
    print_tables(tables)
    write_json(args, header, tables)
    networks = model.measure(
        device,
        compiled=device == "cuda",
        rounds=min(args.rounds, 15),
        max_seconds=SECONDS_A_TABLE,
        **network,
    )
    print_tables(networks)
    header["minutes"] = round((time.monotonic() - started) / 60, 1)
    print(f"\nminutes {header['minutes']}", flush=True)
    write_json(args, header, {**tables, **networks})
    if args.plot:
        model.draw(args.plot, networks)
    return {**tables, **networks}


if __name__ == "__main__":
    main()
