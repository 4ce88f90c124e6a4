"""From the work folders of trainings to what a table says of them."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmengine.config import Config
from scipy.stats import t

from glore_seg.apis.work_dir import find_config
from glore_seg.errors import ConfigError
from glore_seg.visualization.curves import read_scalars
from projects.reproduction.ablation.plan import Row, Run, check_comparable


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

    Raises:
        ConfigError: A row has no finished run, or two runs differ in length, data, batch or
            evaluation.
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
