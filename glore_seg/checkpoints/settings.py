"""Settings of a network that no shape tells: weights load, and predict worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_PARTS = ("data_preprocessor", "backbone", "neck", "decode_head", "head", "cls_head")
# They change training or speed, or nothing (type: SyncBN is BN on one device), or have a check.
_FREE = {
    "order",
    "with_cp",
    "init_cfg",
    "pretrained",
    "frozen_stages",
    "norm_eval",
    "requires_grad",
    "momentum",
    "zero_init",
    "zero_init_residual",
    "dropout_ratio",
    "drop_path_rate",
    "loss",
    "loss_decode",
    "loss_cls",
    "sampler",
    "cal_acc",
    "topk",
    "batch_augments",
    "size",
    "size_divisor",
    "test_cfg",
    "pad_val",
    "seg_pad_val",
    "num_classes",
    "average_clips",
}
_ALIASES = dict.fromkeys(("SyncBN", "CPUSyncBN", "BN1d", "BN2d", "BN3d"), "BN")


def differing_settings(trained: Mapping[str, Any], used: Mapping[str, Any]) -> list[str]:
    """Compare what two configs of one network say of how it computes.

    What one alone says is among them, since its class's default may be another. Losses,
    initialization and what trades memory for time are left out.

    Args:
        trained: ``model`` of the config that the weights were trained with.
        used: ``model`` of the config that they are loaded into.

    Returns:
        For each that differs ``"model.NAME was VALUE in training and is VALUE here"``.
    """
    found: list[str] = []
    for part in _PARTS:
        if isinstance(trained.get(part), Mapping) and isinstance(used.get(part), Mapping):
            # Classes of one network's parts may have several names; the shapes have been compared.
            first, second = ({**cfg[part], "type": None} for cfg in (trained, used))
            found += _differences(f"model.{part}", first, second)
    return found


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
    """Tuples and lists alike, as configs and JSON have them, and one name for a norm."""
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return _ALIASES.get(value, value) if isinstance(value, str) else value
