"""Configs as JSON. A tuple, which JSON lacks, is ``{"_tuple_": [...]}``.

OpenMMLab's transforms distinguish tuples from lists (``RandomCrop`` takes no list as its size).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.checkpoints.untrusted_config import admit_untrusted
from glore_seg.errors import CheckpointError

_TUPLE = "_tuple_"
# Settings of one run on one machine.
_OF_A_RUN = ("work_dir", "load_from", "resume", "launcher", "experiment_name")


def config_to_json(cfg: Config, *, source: str) -> str:
    """Write a resolved config as JSON.

    Args:
        cfg: The config. Settings of one run (``work_dir`` and the like) and pretrained weights
            are left out.
        source: Its name for messages.

    Raises:
        CheckpointError: It holds more than plain values, or could run code.
    """
    values = {key: value for key, value in cfg.to_dict().items() if key not in _OF_A_RUN}
    admit_untrusted(values, source=source)
    return json.dumps(_encode(values), indent=1) + "\n"


def read_json_config(path: str | Path) -> Config:
    """Read a file of :func:`config_to_json`; raises as :func:`config_from_json` does."""
    text = read_text(path)
    cfg = config_from_json(text, source=str(path))
    return Config(cfg.to_dict(), cfg_text=text, filename=str(path))  # for messages


def read_text(path: str | Path) -> str:
    """Read a text file.

    Raises:
        CheckpointError: It is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"{path} is not text ({error}); expected a config in UTF-8"
        ) from error


def config_from_json(text: str, *, source: str) -> Config:
    """Read what :func:`config_to_json` wrote; the text may be hostile, nothing in it is run.

    Args:
        text: The JSON.
        source: Its name for messages.

    Raises:
        CheckpointError: It is not a config in JSON, or could run code once something is built
            from it.
    """
    try:
        values = json.loads(text, object_hook=_decode)
        if not isinstance(values, dict) or not isinstance(values.get("model"), dict):
            raise ValueError("it has no model")
        admit_untrusted(values, source=source)
        return Config(values)  # KeyError: a name that mmengine reserves
    except CheckpointError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(
            f"{source} is not a config ({error}); expected JSON as save_pretrained writes it"
        ) from error


def _encode(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _encode(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return {_TUPLE: [_encode(part) for part in value]}
    return [_encode(part) for part in value] if isinstance(value, list) else value


def _decode(value: dict[str, Any]) -> Any:
    return tuple(value[_TUPLE]) if value.keys() == {_TUPLE} else value
