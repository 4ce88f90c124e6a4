"""Configs as text, JSON or Python, parsed without running them."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.checkpoints.untrusted_config import admit_untrusted
from glore_seg.errors import CheckpointError

# A tuple, which JSON lacks, is {"_tuple_": [...]}: RandomCrop takes no list as its size.
_TUPLE = "_tuple_"
# Settings of one run on one machine.
_OF_A_RUN = ("work_dir", "load_from", "resume", "launcher", "experiment_name")
_LONGEST = 2_000_000  # characters; a config has some ten thousand


def find_embedded_config(path: str | Path, meta: Mapping[str, Any]) -> Config:
    """Find the config of a checkpoint.

    It is the file's own ``meta["cfg"]``, else ``NAME.json``, ``NAME.py`` or ``config.json`` beside
    ``NAME.pth``. JSON must come from :func:`config_to_json`, a ``.py`` file from ``Config.dump``.

    Raises:
        CheckpointError: There is none, or it is not a config, or more than data.
    """
    path = Path(path)
    if meta.get("cfg"):
        return parse_config(meta["cfg"], source=f"meta['cfg'] of {path}")
    beside = [path.with_suffix(".json"), path.with_suffix(".py"), path.with_name("config.json")]
    for file in beside:
        if file.is_file():
            if file.suffix == ".json":
                return read_json_config(file)
            return parse_config(_read_text(file), source=str(file))
    raise CheckpointError(
        f"{path} has no config in it, nor {', '.join(file.name for file in beside)} beside it: "
        "give the config, and this file as checkpoint"
    )


def recorded_config(meta: Any) -> Config | None:
    """The config that a training stored in a checkpoint's ``meta``; None if it is no such text."""
    try:
        return parse_config(meta["cfg"], source="the checkpoint's config")
    except (CheckpointError, KeyError, TypeError):  # none, or of another program
        return None


def config_to_json(cfg: Config, *, source: str) -> str:
    """Write a config as JSON, without settings of one run (``work_dir``, ...) and ``pretrained``.

    Raises:
        CheckpointError: ``source``, its name, holds more than plain values, or could run code.
    """
    values = {key: value for key, value in cfg.to_dict().items() if key not in _OF_A_RUN}
    admit_untrusted(values, source=source)
    return json.dumps(_encode(values), indent=1) + "\n"


def read_json_config(path: str | Path) -> Config:
    """Read a file of :func:`config_to_json`; raises as :func:`config_from_json` does."""
    text = _read_text(path)
    cfg = config_from_json(text, source=str(path))
    return Config(cfg.to_dict(), cfg_text=text, filename=str(path))  # for messages


def config_from_json(text: str, *, source: str) -> Config:
    """Read what :func:`config_to_json` wrote; the text may be hostile, nothing in it is run.

    Raises:
        CheckpointError: ``source``, its name, is no config in JSON, or could run code once
            something is built from it.
    """
    try:
        values = json.loads(text, object_hook=_decode)
        _require_model(values)
        admit_untrusted(values, source=source)
        return Config(values)  # KeyError: a name that mmengine reserves
    except CheckpointError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(
            f"{source} is not a config ({error}); expected JSON as save_pretrained writes it"
        ) from error


def parse_config(text: Any, *, source: str) -> Config:
    """Parse ``Config.pretty_text`` without running it.

    Raises:
        CheckpointError: ``source``, its name, is something else, or has no ``model``.
    """
    try:
        values = parse_assignments(text)
        _require_model(values)
        return Config(values)
    # Config raises KeyError for reserved names; ast and literal_eval raise all the others.
    except (ValueError, TypeError, SyntaxError, KeyError, RecursionError, MemoryError) as error:
        raise CheckpointError(
            f"{source} is not a config ({error}); expected lines of NAME = VALUE with literals, "
            "lists, tuples and dict(...) only, as Config.pretty_text writes them"
        ) from error


def parse_assignments(text: Any) -> dict[str, Any]:
    """Parse lines of ``name = value`` whose values are literals or ``dict(...)``.

    Raises:
        ValueError: A line is something else, such as a call, an import or an expression.
        SyntaxError, TypeError, RecursionError, MemoryError: The text cannot be parsed.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise ValueError(f"expected a text of at most {_LONGEST} characters")
    found = {}
    for statement in ast.parse(text).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = ast.literal_eval(_DictCalls().visit(value))
            case ast.Expr(value=ast.Constant(value=str())):  # a docstring
                pass
            case _:
                raise ValueError(f"line {statement.lineno} is not an assignment")
    return found


class _DictCalls(ast.NodeTransformer):
    """Replaces ``dict(a=1)``, ``dict({"a-b": 1})``, ``inf`` and ``nan`` by literals."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        names = [keyword.arg for keyword in node.keywords]
        if None in names:  # dict(**values)
            return node
        match node:
            case ast.Call(func=ast.Name(id="dict"), args=[]):
                found = ast.Dict([], [])
            case ast.Call(func=ast.Name(id="dict"), args=[ast.Dict() as found]):
                pass
            case _:
                return node  # which literal_eval refuses
        keys = [*found.keys, *(ast.Constant(name) for name in names)]
        return ast.Dict(keys, [*found.values, *(keyword.value for keyword in node.keywords)])

    def visit_Name(self, node: ast.Name) -> ast.AST:
        numbers = {"inf": math.inf, "nan": math.nan}
        return ast.Constant(numbers[node.id]) if node.id in numbers else node


def _require_model(values: Any) -> None:
    if not isinstance(values, dict) or not isinstance(values.get("model"), dict):
        raise ValueError("it has no model")


def _read_text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"{path} is not text ({error}); expected a config in UTF-8"
        ) from error


def _encode(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _encode(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return {_TUPLE: [_encode(part) for part in value]}
    return [_encode(part) for part in value] if isinstance(value, list) else value


def _decode(value: dict[str, Any]) -> Any:
    return tuple(value[_TUPLE]) if value.keys() == {_TUPLE} else value
