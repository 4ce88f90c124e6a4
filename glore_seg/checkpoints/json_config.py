"""Configs as JSON, which has no tuples: where they stood is kept beside them.

OpenMMLab's transforms tell tuples from lists (a ``RandomCrop`` takes no list as its size).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.checkpoints.untrusted_config import admit_untrusted
from glore_seg.errors import CheckpointError

TUPLES = "_tuples_"
"""Key of the list of JSON pointers (RFC 6901) to the lists that are tuples."""

# What belongs to one run on one machine.
_OF_A_RUN = ("work_dir", "load_from", "resume", "launcher", "experiment_name")


def config_to_json(cfg: Config, *, source: str) -> str:
    """Write a resolved config as JSON.

    Args:
        cfg: The config. What belongs to one run (``work_dir`` and the like) and the weights that
            its training began from are left out.
        source: What to call it in messages.

    Raises:
        CheckpointError: It holds more than plain values, or what :func:`config_from_json` refuses.
    """
    values = {key: value for key, value in cfg.to_dict().items() if key not in _OF_A_RUN}
    admit_untrusted(values, source=source)
    tuples: list[str] = []
    plain = _without_tuples(values, "", tuples)
    return json.dumps({**plain, TUPLES: sorted(tuples)}, indent=1) + "\n"


def read_json_config(path: str | Path) -> Config:
    """Read a file of what :func:`config_to_json` wrote; raises as :func:`config_from_json` does."""
    text = read_text(path)
    cfg = config_from_json(text, source=str(path))
    return Config(cfg.to_dict(), cfg_text=text, filename=str(path))  # for messages


def read_text(path: str | Path) -> str:
    """Read a file of text.

    Raises:
        CheckpointError: It is no text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{path} is no text ({error}); expected a config in UTF-8") from error


def config_from_json(text: str, *, source: str) -> Config:
    """Read what :func:`config_to_json` wrote, whoever sent it; nothing in it is run.

    Args:
        text: The JSON.
        source: Where it comes from, for messages.

    Raises:
        CheckpointError: It is no JSON, no config, or could run code when something is built from it.
    """
    try:
        values = json.loads(text)
        if not isinstance(values, dict) or not isinstance(values.get("model"), dict):
            raise CheckpointError("no config with a model")
        marked = values.pop(TUPLES, [])
        if not isinstance(marked, list) or not all(isinstance(each, str) for each in marked):
            raise CheckpointError(f"{TUPLES} is no list of pointers")
        values = _with_tuples(values, "", frozenset(marked))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{source} is not read ({error}); expected JSON as save_pretrained writes it"
        ) from error
    admit_untrusted(values, source=source)
    try:
        return Config(values)
    except (KeyError, RecursionError) as error:  # a name that mmengine keeps for itself; too deep
        raise CheckpointError(f"{source} is no config: {error.args[0]}") from error


def _without_tuples(value: Any, pointer: str, found: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_tuples(v, _step(pointer, key), found) for key, v in value.items()}
    if isinstance(value, list | tuple):
        if isinstance(value, tuple):
            found.append(pointer)
        return [_without_tuples(v, _step(pointer, i), found) for i, v in enumerate(value)]
    return value


def _with_tuples(value: Any, pointer: str, marked: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _with_tuples(v, _step(pointer, key), marked) for key, v in value.items()}
    if isinstance(value, list):
        parts = [_with_tuples(v, _step(pointer, i), marked) for i, v in enumerate(value)]
        return tuple(parts) if pointer in marked else parts
    return value


def _step(pointer: str, key: Any) -> str:
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
