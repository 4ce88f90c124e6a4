"""Settings of a network that its weights do not show: they load, and predict worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_PARTS = ("data_preprocessor", "backbone", "neck", "decode_head", "head", "cls_head")
# Settings of training or speed, or with a check elsewhere.
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
    """Compare the settings of two configs of one network that change its output.

    A setting in only one of them counts, since the default of its class may differ. Losses,
    initialization and trade-offs of memory and time are ignored.

    Args:
        trained: ``model`` of the config that the weights were trained with.
        used: ``model`` of the config that they are loaded into.

    Returns:
        ``"model.NAME was VALUE in training and is VALUE here"`` for each difference.
    """
    found: list[str] = []
    for part in _PARTS:
        if isinstance(trained.get(part), Mapping) and isinstance(used.get(part), Mapping):
            # A class may have several names; shapes are compared elsewhere.
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
    """Make tuples lists, and all BatchNorms one name."""
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return _ALIASES.get(value, value) if isinstance(value, str) else value
