"""What must be the same for two trainings to be compared, or to be the same training."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from glore_seg.errors import ConfigError

# What differs between seeds, or between a run and its resumption.
_OF_THE_RUN = (
    "work_dir",
    "randomness",
    "resume",
    "load_from",
    "begin_from",
    "launcher",
    "experiment_name",
)
_MISSING = "not set"


def conditions(cfg: Config) -> dict[str, Any]:
    """What rows of one table must share, by the key in the config.

    Length (iterations, schedule of validation), training data with crop and augmentation, batch,
    and evaluation (data, images' size, metric). Network, optimizer and schedule of the learning
    rate may differ: they are what a table compares.
    """
    plain = cfg._cfg_dict.to_dict()
    found: dict[str, Any] = {"train_cfg": plain.get("train_cfg")}
    for key, keeps in (
        # worker processes change the speed, and with it only the order of random numbers
        ("train_dataloader", ("batch_size", "dataset", "sampler")),
        ("val_dataloader", ("dataset",)),
    ):
        loader = plain.get(key) or {}
        found |= {f"{key}.{name}": loader.get(name) for name in keeps}
    found["val_evaluator"] = plain.get("val_evaluator")
    found["optim_wrapper.accumulative_counts"] = (plain.get("optim_wrapper") or {}).get(
        "accumulative_counts", 1
    )
    return found


def check_comparable(configs: Mapping[str, Config]) -> None:
    """Refuse to compare runs of different length, data, batch or evaluation.

    Args:
        configs: What was trained, by a name for the message.

    Raises:
        ConfigError: Two differ; the message names the first difference with both values.
    """
    first, *others = configs
    for name in others:
        difference = _first_difference(conditions(configs[first]), conditions(configs[name]))
        if difference:
            key, one, other = difference
            raise ConfigError(
                f"{first} has {key} = {one!r}, {name} has {other!r}; expected one value in all "
                "rows: runs of different length, data, batch or evaluation cannot be compared"
            )


def check_same_settings(found: Config, wanted: Config, *, where: str) -> None:
    """Refuse to go on with, or to count, a run of other settings.

    Args:
        found: What the run in the folder was trained with.
        wanted: What the row asks for.
        where: The folder.

    Raises:
        ConfigError: They differ in more than seed, work folder and resumption.
    """
    plain = [
        {k: v for k, v in cfg._cfg_dict.to_dict().items() if k not in _OF_THE_RUN}
        for cfg in (found, wanted)
    ]
    difference = _first_difference(*plain)
    if difference:
        key, one, other = difference
        raise ConfigError(
            f"{where} was trained with {key} = {one!r}, this row has {other!r}; give another "
            "--out, or the settings of that run"
        )


def _first_difference(one: Any, other: Any) -> tuple[str, Any, Any] | None:
    first, second = dict(_leaves(one)), dict(_leaves(other))
    for key in [*first, *(k for k in second if k not in first)]:
        values = first.get(key, _MISSING), second.get(key, _MISSING)
        if values[0] != values[1]:
            return key, *values
    return None


def _leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its dotted key; tuples and lists are one, as a dumped config has them."""
    items: Any = ()
    if isinstance(node, Mapping):
        items = node.items()
    elif isinstance(node, list | tuple) and any(isinstance(v, Mapping | list) for v in node):
        items = enumerate(node)
    else:
        yield key, list(node) if isinstance(node, tuple) else node
    for name, value in items:
        yield from _leaves(value, f"{key}.{name}" if key else str(name))
