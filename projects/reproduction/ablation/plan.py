"""Which runs an ablation has, where each of them is, and whether they can be compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.apis.config import find_config, load_config, use_amp
from glore_seg.apis.tasks import task_of
from glore_seg.engine import make_resumable
from glore_seg.engine.speed import use_channels_last
from glore_seg.errors import ConfigError
from glore_seg.visualization.curves import read_scalars

# What differs between seeds, or between a run and its resumption.
_OF_THE_RUN = (
    *("work_dir", "randomness", "resume", "load_from", "begin_from", "launcher"),
    "experiment_name",
)
_MISSING = "not set"


@dataclass(frozen=True)
class Row:
    """One row of the table: what is trained, with any seed."""

    name: str  # the config's
    folder: Path  # holds NAME.py, the settings as they are trained, and a folder for each seed
    cfg: Config


@dataclass(frozen=True)
class Run:
    """One training: a row with a seed."""

    row: Row
    seed: int

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.row.name} seed {self.seed}"

    @property
    def work_dir(self) -> Path:
        """Its work folder."""
        return self.row.folder / f"seed{self.seed}"

    @property
    def max_iters(self) -> int:
        """Its length in iterations."""
        return self.row.cfg.train_cfg.max_iters

    def iteration(self) -> int:
        """The last iteration that it logged; 0 where it has not begun."""
        return max((step for step, _ in self._scalar("loss")), default=0)

    def finished(self) -> bool:
        """Whether it is trained and scored to its end."""
        return self.max_iters in {step for step, _ in self._scalar("mIoU")}

    def _scalar(self, name: str) -> list[tuple[int, float]]:
        try:
            return read_scalars(self.work_dir).get(name, [])
        except ConfigError:
            return []


def plan_rows(
    configs: Sequence[str],
    out_dir: Path,
    *,
    cfg_options: Mapping[str, Any] | None = None,
    amp: bool = False,
    channels_last: bool = False,
) -> list[Row]:
    """Settle what each row trains, by a config each and options of ``tools/train.py`` for all.

    Two configs of one name, or a last iteration without mIoU, raise a ConfigError.
    """
    rows: dict[str, Row] = {}
    for config in configs:
        cfg = load_config(config, cfg_options=dict(cfg_options or {}))
        _check_last_is_scored(cfg, config)
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


def _check_last_is_scored(cfg: Config, source: str) -> None:
    task, loop = task_of(cfg).name, cfg.get("train_cfg") or {}
    length, interval = loop.get("max_iters"), loop.get("val_interval", 1000)  # mmengine's own
    if (
        task != "segmentation"
        or cfg.get("val_dataloader") is None
        or any(type(number) is not int or number < 1 for number in (length, interval))
        or length % interval
    ):
        raise ConfigError(
            f"{source} would end without a score: its task is {task}, train_cfg has max_iters = "
            f"{length!r} and val_interval = {interval!r}; expected segmentation with a "
            "val_dataloader and a val_interval that divides max_iters"
        )


def plan_runs(rows: Sequence[Row], seeds: Sequence[int]) -> list[Run]:
    """All runs, every row with the first seed before any with the second.

    So what is there after an interruption is a comparison, with fewer seeds. A ConfigError is
    raised if a seed is given twice, two rows differ in length, data, batch or evaluation, or what
    is there of a run was trained with other settings.
    """
    if len(set(seeds)) != len(seeds):
        raise ConfigError(f"seeds are {' '.join(map(str, seeds))}; expected different ones")
    check_comparable({row.name: row.cfg for row in rows})
    runs = [Run(row, seed) for seed in seeds for row in rows]
    for run in runs:
        if any(run.work_dir.glob("*.py")):
            found = Config.fromfile(find_config(run.work_dir))
            check_same_settings(found, run.row.cfg, where=run.work_dir)
    return runs


def check_comparable(configs: Mapping[str, Config]) -> None:
    """Raise a ConfigError if runs, by name, differ in length, data, batch or evaluation.

    Network, optimizer and schedule of the learning rate may differ: they are what a table compares.
    """
    first, *others = configs
    for name in others:
        if found := _first_difference(_conditions(configs[first]), _conditions(configs[name])):
            key, one, other = found
            raise ConfigError(
                f"{first} has {key} = {one!r}, {name} has {other!r}; expected one value in all "
                "rows: runs of different length, data, batch or evaluation cannot be compared"
            )


def _conditions(cfg: Config) -> dict[str, Any]:
    # worker processes change the speed, and with it only the order of random numbers
    train, val = cfg.get("train_dataloader") or {}, cfg.get("val_dataloader") or {}
    return {
        "train_cfg": cfg.get("train_cfg"),
        "train_dataloader": {key: train.get(key) for key in ("batch_size", "dataset", "sampler")},
        "val_dataloader": {"dataset": val.get("dataset")},
        "val_evaluator": cfg.get("val_evaluator"),
        "optim_wrapper": {
            "accumulative_counts": (cfg.get("optim_wrapper") or {}).get("accumulative_counts", 1)
        },
    }


def check_same_settings(found: Config, wanted: Config, *, where: Path) -> None:
    """Raise a ConfigError if settings differ in more than seed, work folder and resumption."""
    own = ({k: v for k, v in cfg.items() if k not in _OF_THE_RUN} for cfg in (found, wanted))
    if difference := _first_difference(*own):
        key, one, other = difference
        raise ConfigError(
            f"{where} was trained with {key} = {one!r}, this row has {other!r}; give another "
            "--out, or the settings of that run"
        )


def _first_difference(one: Any, other: Any) -> tuple[str, Any, Any] | None:
    first, second = dict(_leaves(one)), dict(_leaves(other))
    pairs = ((key, first.get(key, _MISSING), second.get(key, _MISSING)) for key in first | second)
    return next((pair for pair in pairs if pair[1] != pair[2]), None)


def _leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its dotted key; tuples are lists, as a dumped config has them."""
    is_list = isinstance(node, list | tuple)
    if isinstance(node, Mapping):
        items = [*node.items()]
    elif is_list and any(isinstance(value, Mapping | list) for value in node):
        items = [*enumerate(node)]
    else:
        yield key, list(node) if is_list else node
        return
    for name, value in items:
        yield from _leaves(value, f"{key}.{name}" if key else str(name))
