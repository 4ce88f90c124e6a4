"""Find the config of a checkpoint in its ``meta`` or beside it, and parse it without running it."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.checkpoints.json_config import read_json_config, read_text
from glore_seg.errors import CheckpointError

CONFIG_KEY = "cfg"
"""Key of the config's text in a checkpoint's ``meta``, as in mmengine."""

_LONGEST = 2_000_000  # characters; a config has some ten thousand


def find_embedded_config(path: str | Path, meta: Mapping[str, Any]) -> Config:
    """Find the config of a checkpoint.

    It is the file's own ``meta["cfg"]``, else ``NAME.json``, ``NAME.py`` or ``config.json`` beside
    ``NAME.pth``. JSON must come from ``config_to_json``, a ``.py`` file from ``Config.dump``.

    Args:
        path: The checkpoint.
        meta: Its ``meta``.

    Raises:
        CheckpointError: There is none, or it is not a config, or more than data.
    """
    path = Path(path)
    text = meta.get(CONFIG_KEY)
    if text:
        return parse_config(text, source=f"meta[{CONFIG_KEY!r}] of {path}")
    beside = [path.with_suffix(".json"), path.with_suffix(".py"), path.with_name("config.json")]
    for file in beside:
        if file.is_file():
            if file.suffix == ".json":
                return read_json_config(file)
            return parse_config(read_text(file), source=str(file))
    raise CheckpointError(
        f"{path} has no config in it, nor {', '.join(file.name for file in beside)} beside it: "
        "give the config, and this file as checkpoint"
    )


def recorded_config(meta: Any) -> Config | None:
    """The config that a training stored in a checkpoint's ``meta``; None if it is no such text."""
    text = meta.get(CONFIG_KEY) if isinstance(meta, Mapping) else None
    try:
        return parse_config(text, source="the checkpoint's config")
    except CheckpointError:  # none, or of another program
        return None


def parse_config(text: Any, *, source: str) -> Config:
    """Parse ``Config.pretty_text`` without running it.

    Args:
        text: The text.
        source: Its name for messages.

    Raises:
        CheckpointError: It is something else, or has no ``model``.
    """
    try:
        values = parse_assignments(text)
        if not isinstance(values.get("model"), dict):
            raise ValueError("it has no model")
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
