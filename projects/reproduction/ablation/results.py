"""From the work folders of trainings to what a table says of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mmengine.config import Config

from glore_seg.apis.work_dir import find_config
from glore_seg.errors import ConfigError
from glore_seg.visualization.curves import Scalars, read_scalars
from projects.reproduction.ablation.config_compare import check_comparable
from projects.reproduction.ablation.plan import Row, Run

_CLASS = "IoU."


@dataclass(frozen=True)
class Result:
    """What one finished run gave.

    Args:
        row: Name of its row.
        seed: Its seed.
        curve: (iteration, mIoU in percent) of every validation.
        class_iou: IoU in percent at the last iteration by class.
        minutes: Training alone, without validation, on the clock.
        step_ms: Median time of an iteration, waiting for data included.
        gpu_mb: Peak memory on the GPU; None on a CPU, where mmengine does not log it.
    """

    row: str
    seed: int
    curve: tuple[tuple[int, float], ...]
    class_iou: dict[str, float]
    minutes: float
    step_ms: float
    gpu_mb: float | None

    @property
    def last(self) -> float:
        """MIoU at the last iteration."""
        return self.curve[-1][1]

    @property
    def best(self) -> float:
        """The highest mIoU of all validations: chosen on what it is measured on."""
        return max(value for _, value in self.curve)


def gather(rows: Sequence[Row], seeds: Sequence[int]) -> dict[str, list[Result]]:
    """Read the finished runs of every row.

    Args:
        rows: The rows of the table.
        seeds: The seeds that count.

    Returns:
        Row to its results in the order of the seeds; runs that are not finished are left out.

    Raises:
        ConfigError: A row has no finished run, or two runs differ in length, data, batch or
            evaluation.
    """
    finished = {
        row.name: [run for run in (Run(row, seed) for seed in seeds) if run.finished()]
        for row in rows
    }
    empty = [name for name, runs in finished.items() if not runs]
    if empty:
        raise ConfigError(
            f"no finished run of {', '.join(empty)} with seed {' or '.join(map(str, seeds))}; "
            "run without --gather-only, or leave the row out"
        )
    check_comparable(
        {
            run.name: Config.fromfile(find_config(run.work_dir))
            for runs in finished.values()
            for run in runs
        }
    )
    return {name: [_read(run) for run in runs] for name, runs in finished.items()}


def _read(run: Run) -> Result:
    scores = read_scalars(run.work_dir, beside="mIoU")
    training = read_scalars(run.work_dir, beside="loss")
    memory = [value for _, value in training.get("memory", [])]
    return Result(
        row=run.row.name,
        seed=run.seed,
        curve=tuple(scores["mIoU"]),
        class_iou={
            name.removeprefix(_CLASS): points[-1][1]
            for name, points in scores.items()
            if name.startswith(_CLASS)
        },
        minutes=_seconds(training) / 60,
        step_ms=1e3 * statistics.median(value for _, value in training["time"]),
        gpu_mb=max(memory) * 2**20 / 1e6 if memory else None,  # mmengine's are MiB
    )


def _seconds(training: Scalars) -> float:
    """Each logged time is the mean since the one before."""
    seconds, before = 0.0, 0
    for step, value in training["time"]:
        seconds += value * (step - before)
        before = step
    return seconds
