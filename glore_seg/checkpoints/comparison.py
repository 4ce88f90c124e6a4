"""Differences between a checkpoint and the network that is to load it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

_SHOWN = 4  # names in a message
_PARTS = ("data_preprocessor", "backbone", "neck", "decode_head", "head", "cls_head")
# Settings of training, losses, initialization, speed and tests, and what is checked elsewhere.
_FREE = {
    *("frozen_stages", "norm_eval", "requires_grad", "momentum", "sampler", "batch_augments"),
    *("loss", "loss_decode", "loss_cls", "cal_acc", "topk", "dropout_ratio", "drop_path_rate"),
    *("init_cfg", "pretrained", "zero_init", "zero_init_residual", "order", "with_cp"),
    *("test_cfg", "average_clips"),
    *("num_classes", "size", "size_divisor", "pad_val", "seg_pad_val"),
}
_ALIASES = dict.fromkeys(("SyncBN", "CPUSyncBN", "BN1d", "BN2d", "BN3d"), "BN")


@dataclass(frozen=True)
class Comparison:
    """Names of a checkpoint's parameters against those of a network.

    BatchNorm's ``num_batches_tracked``, which old checkpoints lack and evaluation does not need,
    is ignored. ``missing`` are only in the network, ``unexpected`` only in the checkpoint;
    ``reshaped`` are name to the different shapes (in the checkpoint, in the network).
    """

    fitting: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    reshaped: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]

    def summary(self) -> str:
        """Return how many of the network's parameters fit."""
        wanted = len(self.fitting) + len(self.missing) + len(self.reshaped)
        return f"{len(self.fitting)} of {wanted} parameters fit"

    def differences(self) -> list[str]:
        """Return one line per kind of difference, with its number and names."""
        reshaped = [f"{k} {found}, needed {own}" for k, (found, own) in self.reshaped.items()]
        kinds: dict[str, Collection[str]] = {
            "missing": self.missing,
            "of another shape": reshaped,
            "not in the model": self.unexpected,
        }
        return [f"{len(names)} {what}: {some(names)}" for what, names in kinds.items() if names]

    def __str__(self) -> str:
        return "; ".join([self.summary(), *self.differences()])


def compare_state_dicts(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> Comparison:
    """Compare a checkpoint (``found``) with a network (``wanted``), by names and shapes."""
    own = {k: tuple(v.shape) for k, v in wanted.items() if not k.endswith("num_batches_tracked")}
    its = {k: tuple(v.shape) for k, v in found.items() if not k.endswith("num_batches_tracked")}
    return Comparison(
        fitting=tuple(k for k in own if its.get(k) == own[k]),
        missing=tuple(k for k in own if k not in its),
        unexpected=tuple(k for k in its if k not in own),
        reshaped={k: (its[k], own[k]) for k in own if k in its and its[k] != own[k]},
    )


def some(names: Collection[str]) -> str:
    """Join the first few names and the number of the others."""
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(list(names)[:_SHOWN]) + rest


def differing_settings(trained: Mapping[str, Any], used: Mapping[str, Any]) -> list[str]:
    """Compare the settings of ``model`` in two configs that change its output.

    A setting in only one of them counts, since the default of its class may differ. Losses,
    initialization and trade-offs of memory and time are ignored. Returns ``"model.NAME was VALUE
    in training and is VALUE here"`` for each difference.
    """
    found: list[str] = []
    for part in _PARTS:
        if isinstance(trained.get(part), Mapping) and isinstance(used.get(part), Mapping):
            # A class may have several names; shapes are compared elsewhere.
            first, second = ({**cfg[part], "type": None} for cfg in (trained, used))
            found += _differences(f"model.{part}", first, second)
    return found


def resumed_settings(
    trained: Mapping[str, Any], used: Mapping[str, Any], checkpoint: Collection[str]
) -> list[str]:
    """Say which value holds where a resumed training has another config than it was begun with.

    Returns a line for what resuming takes from the checkpoint, the optimizer and the schedule if
    ``checkpoint`` has these keys, and one for what it takes from the config, the length; none where
    they are equal.
    """
    lines = []
    kept = "the checkpoint's value holds: to use the config's, give it as load_from"
    for first, second, what in (
        (_resumed(trained, checkpoint), _resumed(used, checkpoint), kept),
        (_length(trained), _length(used), "the config's value holds"),
    ):
        differing = [
            f"{name} was {_said(first.get(name))} in training and is {_said(second.get(name))} here"
            for name in {**first, **second}
            if _plain(first.get(name)) != _plain(second.get(name))
        ]
        lines += [f"{'; '.join(differing)}; {what}"] if differing else []
    return lines


def _resumed(cfg: Mapping[str, Any], checkpoint: Collection[str]) -> dict[str, Any]:
    wrapper = (cfg.get("optim_wrapper") or {}) if "optimizer" in checkpoint else {}
    schedulers = (cfg.get("param_scheduler") or []) if "param_schedulers" in checkpoint else []
    parts = {"optim_wrapper.optimizer": wrapper.get("optimizer") or {}}
    for index, one in enumerate(schedulers if isinstance(schedulers, list) else [schedulers]):
        parts[f"param_scheduler.{index}"] = one
    found = {f"{key}.{name}": part[name] for key, part in parts.items() for name in part}
    return {**found, "optim_wrapper.paramwise_cfg": wrapper.get("paramwise_cfg")}


def _length(cfg: Mapping[str, Any]) -> dict[str, Any]:
    loop = cfg.get("train_cfg") or {}
    return {f"train_cfg.{name}": loop.get(name) for name in ("max_iters", "max_epochs")}


def _differences(name: str, first: Any, second: Any) -> Iterator[str]:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in {**first, **second}:
            if key not in _FREE:
                yield from _differences(f"{name}.{key}", first.get(key), second.get(key))
    elif _plain(first) != _plain(second):
        yield f"{name} was {_said(first)} in training and is {_said(second)} here"


def _said(value: Any) -> str:
    return "not set" if value is None else repr(value)


def _plain(value: Any) -> Any:
    """Make tuples lists, and all BatchNorms one name."""
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return _ALIASES.get(value, value) if isinstance(value, str) else value
