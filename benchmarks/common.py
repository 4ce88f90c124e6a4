"""What the benchmarks share: timing side by side, the saved-memory meter, tables, JSON, pictures.

Run a benchmark from the repository's root: ``python -m benchmarks.unit --json unit.json``.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

PACKAGES = ("torch", "numpy", "mmengine", "mmcv-lite", "mmcv", "mmsegmentation")


@dataclass(frozen=True)
class Timing:
    """Seconds of one way in every round, on the clock and in CPU time of this process."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def milliseconds(self) -> float:
        """Median on the clock."""
        return 1e3 * median(self.wall)

    def times_faster_than(self, other: "Timing", *, clock: str = "wall") -> float:
        """Median over the rounds of the other's time divided by this one's."""
        own, others = getattr(self, clock), getattr(other, clock)
        return median(b / a for a, b in zip(own, others, strict=True))


def side_by_side(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int = 15,
    warmup: int = 2,
    max_seconds: float | None = None,
) -> dict[str, Timing]:
    """Time several ways in turns, so that whatever else the machine does meets all of them.

    Every other round runs them in reverse, so that none is always the one after another.

    Args:
        ways: What to time, by name.
        rounds: How often each is timed.
        warmup: How often each is run before.
        max_seconds: Stop after the round that passes this, but not before the third.
    """
    for _ in range(warmup):
        for way in ways.values():
            way()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    begin = time.perf_counter()
    for count in range(rounds):
        for name in ways if count % 2 == 0 else reversed(ways):
            seconds[name].append(_time(ways[name]))
        if max_seconds and count >= 2 and time.perf_counter() - begin > max_seconds:
            break
    return {
        name: Timing(tuple(wall for wall, _ in each), tuple(cpu for _, cpu in each))
        for name, each in seconds.items()
    }


def _time(way: Callable[[], object]) -> tuple[float, float]:
    _wait()
    wall, cpu = time.perf_counter(), time.process_time()
    result = way()
    _wait()
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    del result  # giving memory back is not what is timed
    return seconds


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def saved_bytes(forward: Callable[[], object], *, beyond: Sequence[Tensor] = ()) -> int:
    """Bytes that autograd keeps for the backward pass, every storage counted once.

    Args:
        forward: Runs the forward pass.
        beyond: Tensors that are there anyway, such as the input and the parameters.
    """
    known = {tensor.untyped_storage().data_ptr() for tensor in beyond}
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    total = sum(t.untyped_storage().nbytes() for key, t in kept.items() if key not in known)
    del result
    return total


def machine(device: str = "cpu") -> dict[str, Any]:
    """Versions and machine, as every benchmark's header has them."""
    found: dict[str, Any] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    found["processor"] = _processor()
    found["cores"] = os.cpu_count()
    found["threads"] = torch.get_num_threads()
    if device == "cuda":
        found["gpu"] = torch.cuda.get_device_name()
        found["cuda"] = torch.version.cuda
    return found


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of equal keys as a Markdown table; floats with two digits, None as a dash."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[_cell(value) for value in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def make_parser(description: str, *, example: str) -> argparse.ArgumentParser:
    """A command line with the options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description, epilog=f"example: {example}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write header and rows here")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the picture here")
    parser.add_argument(
        "--rounds", type=int, default=15, help="how often each way is timed (default: 15)"
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's own)")
    return parser


def begin(args: argparse.Namespace, *, device: str = "cpu") -> dict[str, Any]:
    """Set the threads, print the header and return it."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    header = machine(device)
    print(", ".join(f"{name} {value}" for name, value in header.items()), flush=True)
    return header


def finish(
    args: argparse.Namespace, header: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping]]
) -> None:
    """Print the tables as Markdown, and write them as JSON where asked."""
    print_tables(tables)
    write_json(args, header, tables)


def print_tables(tables: Mapping[str, Sequence[Mapping]]) -> None:
    """Print the tables as Markdown."""
    for title, rows in tables.items():
        print(f"\n{title}\n\n{markdown_table(rows)}", flush=True)


def write_json(
    args: argparse.Namespace, header: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping]]
) -> None:
    """Write the tables as JSON where asked."""
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"machine": header, "tables": tables}, indent=1)
        args.json.write_text(text + "\n", encoding="utf-8")


def draw_lines(
    path: Path,
    lines: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    logarithmic: bool = True,
) -> None:
    """Draw one line a name through its (x, y) points and write the picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    if logarithmic:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def draw_bars(path: Path, bars: Mapping[str, float], *, title: str, xlabel: str) -> None:
    """Draw one bar a name, with its value behind it, and write the picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 1.1 + 0.4 * len(bars)), layout="constrained")
    axes = figure.subplots()
    drawn = axes.barh(list(bars), list(bars.values()))
    axes.bar_label(drawn, fmt="%.4g", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(title=title, xlabel=xlabel)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
