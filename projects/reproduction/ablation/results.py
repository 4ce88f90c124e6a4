"""What the runs of an ablation gave, read from their work folders, as table, JSON and plot."""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config
from prettytable import PrettyTable, TableStyle
from scipy.stats import t

from glore_seg.apis.complexity import Complexity
from glore_seg.apis.config import find_config
from glore_seg.errors import ConfigError
from glore_seg.utils.files import atomic_write, write_lines
from glore_seg.visualization.curves import read_scalars
from projects.reproduction.ablation.costs import Cost
from projects.reproduction.ablation.plan import Row, Run, check_comparable
from projects.reproduction.measure import machine


@dataclass(frozen=True)
class Result:
    """What one finished run gave."""

    row: str
    seed: int
    curve: tuple[tuple[int, float], ...]  # (iteration, mIoU in percent) of every validation
    class_iou: dict[str, float]  # in percent, at the last iteration
    minutes: float  # training alone, without validation, on the clock
    step_ms: float  # median of an iteration, waiting for data included
    gpu_mb: float | None  # peak memory; None on a CPU, where mmengine does not log it

    @property
    def last(self) -> float:
        """MIoU at the last iteration."""
        return self.curve[-1][1]

    @property
    def best(self) -> float:
        """The highest mIoU of all validations: chosen on what it is measured on."""
        return max(value for _, value in self.curve)


def gather(rows: Sequence[Row], seeds: Sequence[int]) -> dict[str, list[Result]]:
    """Read the finished runs of every row, in the order of the seeds.

    A row without one, or a difference in length, data, batch or evaluation, is a ConfigError.
    """
    runs = {
        row.name: [run for run in (Run(row, seed) for seed in seeds) if run.finished()]
        for row in rows
    }
    empty = [name for name, finished in runs.items() if not finished]
    if empty:
        raise ConfigError(
            f"no finished run of {', '.join(empty)} with seed {' or '.join(map(str, seeds))}; "
            "run without --gather-only, or leave the row out"
        )
    every = [run for finished in runs.values() for run in finished]
    check_comparable({run.name: Config.fromfile(find_config(run.work_dir)) for run in every})
    return {name: [_read(run) for run in finished] for name, finished in runs.items()}


def _read(run: Run) -> Result:
    scores = read_scalars(run.work_dir, beside="mIoU")
    training = read_scalars(run.work_dir, beside="loss")
    memory = [value for _, value in training.get("memory", [])]
    times = training["time"]  # each is the mean since the one before
    steps = [step for step, _ in times]
    lengths = (step - before for step, before in zip(steps, [0, *steps], strict=False))
    return Result(
        row=run.row.name,
        seed=run.seed,
        curve=tuple(scores["mIoU"]),
        class_iou={
            name.removeprefix("IoU."): points[-1][1]
            for name, points in scores.items()
            if name.startswith("IoU.")
        },
        minutes=sum(n * value for n, (_, value) in zip(lengths, times, strict=True)) / 60,
        step_ms=1e3 * statistics.median(value for _, value in times),
        gpu_mb=max(memory) * 2**20 / 1e6 if memory else None,  # mmengine's are MiB
    )


@dataclass(frozen=True)
class Difference:
    """A row's mean difference to another, over the seeds that both have."""

    mean: float  # nan without a common seed
    margin: float | None  # half the 95 % interval by Student's t; None below two common seeds
    seeds: tuple[int, ...]  # the common ones


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (n - 1); nan without values, None below two of them."""
    if not values:
        return math.nan, None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def paired_difference(values: Mapping[int, float], reference: Mapping[int, float]) -> Difference:
    """``values`` minus ``reference``, scores by seed: one seed draws the same crops for both."""
    seeds = tuple(sorted(values.keys() & reference.keys()))
    mean, deviation = mean_and_deviation([values[seed] - reference[seed] for seed in seeds])
    if deviation is None:
        return Difference(mean, None, seeds)
    quantile = float(t.ppf(0.975, len(seeds) - 1))
    return Difference(mean, quantile * deviation / math.sqrt(len(seeds)), seeds)


Results = Mapping[str, Sequence[Result]]
Counts = Mapping[str, Complexity]


def write_results(
    out_dir: Path, results: Results, counts: Counts, costs: Mapping[str, Cost] | None = None
) -> list[Path]:
    """Write ``ablation.json``, ``.md`` and ``.png`` to a folder, replacing what is there.

    The first row of the results is what the others are compared with.
    """
    files = [out_dir / f"ablation.{ending}" for ending in ("json", "md", "png")]
    content = json.dumps(_as_json(results, counts, costs))
    # JSON has no nan, which is the IoU of a class that does not occur: null instead
    content = json.loads(content, parse_constant=lambda _: None)
    write_lines(files[0], [json.dumps(content, indent=1, allow_nan=False)])
    write_lines(files[1], [as_markdown(results, counts, costs)])
    with atomic_write(files[2]) as temporary:
        plot_ablation(results, temporary)
    return files


def as_markdown(results: Results, counts: Counts, costs: Mapping[str, Cost] | None = None) -> str:
    """The tables: rows with spread, difference and size, classes, and costs where measured."""
    costs = costs or {}
    reference = next(iter(results))
    columns = (
        *("row", "seeds", "mIoU %, last", "mIoU %, best"),
        f"last less that of {reference} [95 % interval]",
        *("training, min", "memory, MB", "parameters, M", "GMAC"),
    )
    scores = []
    for row, found in results.items():
        # mmengine logs the trainings' peak on a GPU alone; else it is that of a measured step
        memory = f"{costs[row].memory_mb:.0f} (--costs)" if row in costs else "-"
        peak = _gpu_mb(found)
        scores.append(
            [
                row,
                len(found),
                _spread(result.last for result in found),
                _spread(result.best for result in found),
                "-" if row == reference else _interval(_difference(found, results[reference])),
                f"{statistics.fmean(result.minutes for result in found):.1f}",
                f"{peak:.0f}" if peak else memory,
                f"{counts[row].params / 1e6:.3f}",
                f"{counts[row].macs / 1e9:.3f}",
            ]
        )
    classes = [
        [name, *(_spread(result.class_iou[name] for result in found) for found in results.values())]
        for name in results[reference][0].class_iou
    ]
    tables = [_table(columns, scores), _table(("IoU %, last", *results), classes)]
    if costs:
        columns = ("row", "step, ms", "step, CPU ms", "times the first", "memory, MB")
        measured = [
            [
                row,
                f"{c.step_ms:.0f}",
                f"{c.step_cpu_ms:.0f}",
                f"{c.times_first:.3f}",
                f"{c.memory_mb:.0f}",
            ]
            for row, c in costs.items()
            if row in results
        ]
        tables.append(_table(columns, measured))
    return "\n\n".join(tables)


def _table(columns: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    table = PrettyTable(columns, align="l")
    table.set_style(TableStyle.MARKDOWN)
    table.add_rows(lines)
    return table.get_string()


def _gpu_mb(found: Sequence[Result]) -> float | None:
    return max((result.gpu_mb for result in found if result.gpu_mb is not None), default=None)


def _spread(values: Iterable[float]) -> str:
    mean, deviation = mean_and_deviation([*values])
    return f"{mean:.2f}" if deviation is None else f"{mean:.2f} ± {deviation:.2f}"


def _difference(found: Sequence[Result], reference: Sequence[Result]) -> Difference:
    one, other = ({result.seed: result.last for result in each} for each in (found, reference))
    return paired_difference(one, other)


def _interval(difference: Difference) -> str:
    if not difference.seeds:
        return "no common seed"
    if difference.margin is None:
        return f"{difference.mean:+.2f} (one seed)"
    low, high = (difference.mean + sign * difference.margin for sign in (-1, 1))
    return f"{difference.mean:+.2f} [{low:+.2f}, {high:+.2f}]"


def _as_json(results: Results, counts: Counts, costs: Mapping[str, Cost] | None) -> dict[str, Any]:
    reference = next(iter(results))
    rows = {
        row: {
            "runs": [asdict(result) for result in found],
            "last": mean_and_deviation([result.last for result in found]),
            "best": mean_and_deviation([result.best for result in found]),
            "difference": asdict(_difference(found, results[reference])),
            "gpu_mb": _gpu_mb(found),
            "params": counts[row].params,
            "macs": counts[row].macs,
        }
        for row, found in results.items()
    }
    rows[reference]["difference"] = None
    measured = {row: asdict(cost) for row, cost in (costs or {}).items()}
    head = {"format": 1, "machine": machine(), "reference": reference}
    return {**head, "rows": rows, "costs": measured}


def plot_ablation(results: Results, out_file: str | Path) -> None:
    """Draw the mean curve of each row, and its last mIoU as a bar with a dot for each seed.

    The band about a curve reaches from the lowest to the highest seed, the error bar one standard
    deviation each way.
    """
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    lasts: list[float] = []
    for number, (row, found) in enumerate(results.items()):
        color = f"C{number}"
        tables = [dict(result.curve) for result in found]
        steps = sorted(set.intersection(*map(set, tables)))  # those that every seed has
        values = np.array([[table[step] for step in steps] for table in tables])
        left.plot(steps, values.mean(0), marker="o", markersize=3, color=color, label=row)
        left.fill_between(steps, values.min(0), values.max(0), color=color, alpha=0.12, linewidth=0)
        last = [result.last for result in found]
        lasts += last
        mean, deviation = mean_and_deviation(last)
        right.barh(row, mean, xerr=deviation, color=color, alpha=0.6, capsize=3)
        right.plot(last, [row] * len(last), "o", markersize=4, color="black", zorder=3)
    left.set(xlabel="iteration", ylabel="mIoU on val, %")
    left.legend(fontsize="small")
    right.set(xlabel="mIoU at the last iteration, % (axis cut)")
    margin = max(1.0, 0.5 * (max(lasts) - min(lasts)))
    right.set_xlim(max(0.0, min(lasts) - margin), max(lasts) + margin)
    right.invert_yaxis()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(out_file, dpi=120)
