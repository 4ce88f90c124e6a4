"""The config that travels with a checkpoint: in its ``meta`` or beside it. Read, never run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.checkpoints.literals import parse_assignments

CONFIG_KEY = "cfg"
"""Under which mmengine, and this project, keep a config's text in a checkpoint's ``meta``."""


def find_embedded_config(path: str | Path, meta: Mapping[str, Any]) -> Config:
    """Find the config of a lone checkpoint.

    It is taken from the file's own ``meta["cfg"]``, else from ``NAME.json`` or ``NAME.py`` beside
    ``NAME.pth``. A ``.py`` file must be a dumped config, which is data alone; mmengine's work
    folders and ``tools/model_converters/convert.py`` have such.

    Args:
        path: The checkpoint.
        meta: What it holds beside the weights.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is not a config, or holds more than data.
    """
    path = Path(path)
    text = meta.get(CONFIG_KEY)
    if text is not None and not isinstance(text, str):
        raise ValueError(
            f"meta[{CONFIG_KEY!r}] of {path} is a {type(text).__name__}; expected the text of a "
            "config: give the config, and this file as checkpoint"
        )
    if text:
        return parse_config(text, source=f"the config in {path}")
    beside = [path.with_suffix(ending) for ending in (".json", ".py")]
    for file in beside:
        if file.is_file():
            return parse_config(file.read_text(encoding="utf-8"), source=str(file))
    raise FileNotFoundError(
        f"{path} has no config in it, nor {' or '.join(file.name for file in beside)} beside it: "
        "give the config, and this file as checkpoint"
    )


def parse_config(text: str, *, source: str) -> Config:
    """Make a config of its text, JSON or ``Config.pretty_text``, without running anything.

    JSON has no tuples, which OpenMMLab asks for in sizes: lists of numbers become such.

    Args:
        text: The text.
        source: What to call it in the messages.

    Raises:
        ValueError: It is neither, or has no ``model``.
    """
    if text.lstrip().startswith("{"):
        try:
            found = _with_tuples(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{source} is no JSON ({error})") from error
    else:
        found = parse_assignments(text, source=source)
    if not isinstance(found.get("model"), dict):
        raise ValueError(f"{source} has no model; expected the config of a network")
    try:
        return Config(found)
    except KeyError as error:  # a name that mmengine keeps for itself
        raise ValueError(f"{source} is no config: {error.args[0]}") from error


def _with_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_tuples(part) for name, part in value.items()}
    if isinstance(value, list):
        numbers = value and all(isinstance(part, int | float) for part in value)
        return tuple(value) if numbers else [_with_tuples(part) for part in value]
    return value
