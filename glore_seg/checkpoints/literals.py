"""Python's way to write data, read without running it: what ``Config.pretty_text`` is made of."""

import ast
from typing import Any

from glore_seg.errors import CheckpointError

_LONGEST = 2_000_000  # characters; a config has some ten thousand
_NUMBERS = {"inf": float("inf"), "nan": float("nan")}  # how repr() writes them


def parse_assignments(text: str, *, source: str) -> dict[str, Any]:
    """Read lines of ``name = value`` where values are literals, lists, tuples and ``dict(...)``.

    Args:
        text: The lines.
        source: What to call them in the messages.

    Returns:
        Names to values, in their order.

    Raises:
        CheckpointError: Something else stands there, such as a call, an import or an expression.
    """
    if len(text) > _LONGEST:
        raise CheckpointError(f"{source} has {len(text)} characters; expected at most {_LONGEST}")
    found: dict[str, Any] = {}
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CheckpointError(f"{source} is no text of literal settings ({error})") from error
    try:
        for statement in statements:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found[name] = _value(value, source)
                case ast.Expr(value=ast.Constant(value=str())):  # a docstring
                    pass
                case _:
                    raise _refusal(statement, source)
    except RecursionError as error:
        raise CheckpointError(f"{source} is no text of literal settings ({error})") from error
    return found


def _value(node: ast.expr, source: str) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in _NUMBERS:
            return _NUMBERS[name]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            number = _value(operand, source)
            if isinstance(number, int | float):
                return -number if isinstance(sign, ast.USub) else number
        case ast.List(elts=items):
            return [_value(item, source) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item, source) for item in items)
        case ast.Set(elts=items) if all(isinstance(item, ast.Constant) for item in items):
            return {_value(item, source) for item in items}
        case ast.Dict(keys=keys, values=values):
            return {
                _key(key, node, source): _value(value, source)
                for key, value in zip(keys, values, strict=True)
            }
        # dict(a=1), and where a key is no identifier dict({"a-b": 1})
        case ast.Call(func=ast.Name(id="dict"), args=[] | [ast.Dict()] as args, keywords=keywords):
            pairs: dict[Any, Any] = {}
            for argument in args:
                pairs |= _value(argument, source)
            for keyword in keywords:
                if keyword.arg is None:
                    raise _refusal(node, source)
                pairs[keyword.arg] = _value(keyword.value, source)
            return pairs
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return set()
    raise _refusal(node, source)


def _key(key: ast.expr | None, node: ast.expr, source: str) -> Any:
    if not isinstance(key, ast.Constant):
        raise _refusal(key or node, source)
    return key.value


def _refusal(node: ast.AST, source: str) -> ValueError:
    line = getattr(node, "lineno", 1)
    return CheckpointError(
        f"line {line} of {source} is more than data ({ast.unparse(node)[:60]!r}); expected "
        "literals, lists, tuples and dict(...) alone, as Config.pretty_text writes them"
    )
