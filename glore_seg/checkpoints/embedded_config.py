"""The config that travels with a checkpoint: in its ``meta`` or beside it. Read, never run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.checkpoints.json_config import read_json_config, read_text
from glore_seg.checkpoints.literals import parse_assignments
from glore_seg.errors import CheckpointError

CONFIG_KEY = "cfg"
"""Under which mmengine, and this project, keep a config's text in a checkpoint's ``meta``."""


def find_embedded_config(path: str | Path, meta: Mapping[str, Any]) -> Config:
    """Find the config of a lone checkpoint.

    It is taken from the file's own ``meta["cfg"]``, else from ``NAME.json``, ``NAME.py`` or
    ``config.json`` beside ``NAME.pth``. JSON is what ``config_to_json`` wrote. A ``.py`` file must
    be a dumped config, which is data alone, such as ``tools/model_converters/convert.py`` writes.

    Args:
        path: The checkpoint.
        meta: What it holds beside the weights.

    Raises:
        CheckpointError: There is none.
        CheckpointError: It is not a config, or holds more than data.
    """
    path = Path(path)
    text = meta.get(CONFIG_KEY)
    if text is not None and not isinstance(text, str):
        raise CheckpointError(
            f"meta[{CONFIG_KEY!r}] of {path} is a {type(text).__name__}; expected the text of a "
            "config: give the config, and this file as checkpoint"
        )
    if text:
        return parse_config(text, source=f"the config in {path}")
    beside = [path.with_suffix(".json"), path.with_suffix(".py"), path.with_name("config.json")]
    file = next((file for file in beside if file.is_file()), None)
    if file is None:
        raise CheckpointError(
            f"{path} has no config in it, nor {', '.join(file.name for file in beside)} beside it: "
            "give the config, and this file as checkpoint"
        )
    if file.suffix == ".json":
        return read_json_config(file)
    return parse_config(read_text(file), source=str(file))


def parse_config(text: str, *, source: str) -> Config:
    """Make a config of ``Config.pretty_text`` without running anything.

    Args:
        text: The text.
        source: What to call it in the messages.

    Raises:
        CheckpointError: It is something else, or has no ``model``.
    """
    found = parse_assignments(text, source=source)
    if not isinstance(found.get("model"), dict):
        raise CheckpointError(f"{source} has no model; expected the config of a network")
    try:
        return Config(found)
    except KeyError as error:  # a name that mmengine keeps for itself
        raise CheckpointError(f"{source} is no config: {error.args[0]}") from error
