"""Whether units compute with pretrained weights what they computed in pretraining."""

import logging
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log

from glore_seg.checkpoints.embedded_config import CONFIG_KEY, parse_config
from glore_seg.errors import ConfigError
from glore_seg.layers.extra_units import hidden_options


def check_pretrained_units(
    checkpoint: str, meta: Mapping[str, Any], hidden: Mapping[str, Any]
) -> None:
    """Refuse weights of units that differ in what weights do not show, such as ``normalize``.

    The config in the checkpoint, which training writes there, tells; it is parsed, never run. A
    checkpoint without one gets a warning.

    Args:
        checkpoint: Its name, for the messages.
        meta: What the checkpoint holds beside the weights.
        hidden: What :func:`glore_seg.layers.extra_units.hidden_options` says of the own units.

    Raises:
        ConfigError: The units were trained with something else.
    """
    trained = _hidden_options_of(meta)
    if trained is None:
        print_log(
            f"{checkpoint} does not say how its units were set in training; here they have "
            f"{_listed(hidden)}. "
            "The released classifiers have normalize=False: compare, the weights alone fit both",
            logger="current",
            level=logging.WARNING,
        )
    elif trained != hidden:
        its, own = (
            _listed({name: a[name] for name in a if name not in b or a[name] != b[name]})
            for a, b in ((trained, hidden), (hidden, trained))
        )
        raise ConfigError(
            f"{checkpoint} was trained with units of {its}, this backbone has {own}: the same "
            "weights would compute something else. Set model.backbone.unit_type and unit_cfg as "
            "there, or train the classifier with those of here; segmentation, whose images vary "
            "in size, needs normalize=True"
        )


def _listed(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


def _hidden_options_of(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    """Those of a checkpoint's units; None where it has no config of such a backbone."""
    text = meta.get(CONFIG_KEY)
    if not isinstance(text, str):
        return None
    try:
        backbone = parse_config(text, source="the checkpoint's config").model.get("backbone")
    except ValueError:  # another program's
        return None
    if not isinstance(backbone, dict) or "GloRePreActNet" not in str(backbone.get("type")):
        return None
    options = backbone.get("unit_cfg") or {}
    if not isinstance(options, dict):
        return None
    return hidden_options(backbone.get("unit_type", "glore"), options)
