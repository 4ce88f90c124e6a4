"""Which runs an ablation has, and where each of them stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.apis.config import load_config, use_amp
from glore_seg.apis.tasks import task_of
from glore_seg.apis.work_dir import find_config
from glore_seg.engine import make_resumable
from glore_seg.engine.speed import use_channels_last
from glore_seg.errors import ConfigError
from glore_seg.utils.files import atomic_write
from glore_seg.visualization.curves import read_scalars
from projects.reproduction.ablation.config_compare import check_comparable, check_same_settings


@dataclass(frozen=True)
class Row:
    """One row of the table: what is trained, with any seed.

    Args:
        name: The config's, which is also that of its folder.
        folder: Holds ``<name>.py``, the settings as they are trained, and a folder for each seed.
        cfg: Those settings.
    """

    name: str
    folder: Path
    cfg: Config

    @property
    def settings(self) -> Path:
        """The file of the settings."""
        return self.folder / f"{self.name}.py"


@dataclass(frozen=True)
class Run:
    """One training: a row with a seed."""

    row: Row
    seed: int

    @property
    def work_dir(self) -> Path:
        """Its work folder."""
        return self.row.folder / f"seed{self.seed}"

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.row.name} seed {self.seed}"

    @property
    def max_iters(self) -> int:
        """Its length in iterations."""
        return self.row.cfg.train_cfg.max_iters

    def iteration(self) -> int:
        """The last iteration that it logged; 0 where it has not begun."""
        try:
            logged = read_scalars(self.work_dir, beside="loss")
        except ConfigError:
            return 0
        return logged["loss"][-1][0] if "loss" in logged else 0

    def finished(self) -> bool:
        """Whether it is trained and scored to its end."""
        try:
            scores = read_scalars(self.work_dir).get("mIoU", [])
        except ConfigError:
            return False
        return self.max_iters in {step for step, _ in scores}


def plan_rows(
    configs: Sequence[str],
    out_dir: Path,
    *,
    cfg_options: Mapping[str, Any] | None = None,
    amp: bool = False,
    channels_last: bool = False,
) -> list[Row]:
    """Settle what each row trains.

    Args:
        configs: Config files, one a row.
        out_dir: Folder of the ablation; each row has a folder of its config's name in it.
        cfg_options: Settings that override those of every config.
        amp: Mixed precision, as ``tools/train.py --amp``.
        channels_last: As ``tools/train.py --channels-last``.

    Raises:
        ConfigError: There is no such config.
        ConfigError: A config trains no segmentation by iterations, two have one name, or the last
            iteration of a run would go unscored.
    """
    rows: dict[str, Row] = {}
    for config in configs:
        cfg = load_config(config, cfg_options=dict(cfg_options or {}))
        _check_kind(cfg, config)
        if amp:
            use_amp(cfg)
        if channels_last:
            use_channels_last(cfg)
        name = Path(config).stem
        if name in rows:
            raise ConfigError(
                f"two rows are called {name}; expected a config file of another name for each row"
            )
        # one name for each row's folder; a run's own work folder goes on the command line
        cfg.pop("work_dir", None)
        # as the runner will dump it beside the run
        rows[name] = Row(name, out_dir / name, make_resumable(cfg))
    return list(rows.values())


def plan_runs(rows: Sequence[Row], seeds: Sequence[int]) -> list[Run]:
    """All runs, every row with the first seed before any with the second.

    So what is there after an interruption is a comparison, with fewer seeds.

    Raises:
        ConfigError: A seed is given twice, two rows differ in length, data, batch or evaluation, or
            what is there of a run was trained with other settings.
    """
    if len(set(seeds)) != len(seeds):
        raise ConfigError(f"seeds are {' '.join(map(str, seeds))}; expected different ones")
    check_comparable({row.name: row.cfg for row in rows})
    runs = [Run(row, seed) for seed in seeds for row in rows]
    for run in runs:
        if any(run.work_dir.glob("*.py")):
            check_same_settings(
                Config.fromfile(find_config(run.work_dir)), run.row.cfg, where=str(run.work_dir)
            )
    return runs


def write_settings(row: Row) -> None:
    """Leave a row's settings where its runs read them."""
    with atomic_write(row.settings) as temporary:
        row.cfg.dump(temporary)


def _check_kind(cfg: Config, source: str) -> None:
    """Refuse what would fail as it begins, or be trained to its end without a score there."""
    task = task_of(cfg)
    loop = cfg.get("train_cfg") or {}
    length, interval = loop.get("max_iters"), loop.get("val_interval", 1000)  # mmengine's own
    if task.name != "segmentation" or length is None:
        kind = f"a {task.name} config" if length is not None else "without train_cfg.max_iters"
        raise ConfigError(
            f"{source} is {kind}; expected a segmentation config that trains by iterations: give "
            "one, or train this with tools/train.py"
        )
    if any(type(number) is not int or number < 1 for number in (length, interval)):
        raise ConfigError(
            f"{source} has train_cfg.max_iters = {length!r} and val_interval = {interval!r}; "
            "expected whole numbers from 1"
        )
    if length % interval:
        raise ConfigError(
            f"{source} validates every {interval} of {length} iterations, so that the last "
            f"has no score; set train_cfg.val_interval to a divisor of {length}"
        )
    if cfg.get("val_dataloader") is None:
        raise ConfigError(
            f"{source} has no val_dataloader, so that nothing has a score; expected one, with "
            "val_cfg and val_evaluator"
        )
