"""Configs that came with weights from elsewhere: values, and nothing that runs code.

A config file of OpenMMLab's is a program, and even its plain values can call one: a registry that
does not know a name imports it (``type="os.system"``), ``custom_imports`` imports anything, a loss
unpickles or fetches what its ``class_weight`` names. Such a config is checked before anything is
built from it. What is left can only name what the installed hosts have registered.
"""

import importlib
import importlib.util
import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import mmengine.registry
from mmengine.registry import Registry

from glore_seg.errors import CheckpointError

PACKAGES = ("glore_seg", "mmseg", "mmpretrain", "mmaction")
"""What ``custom_imports`` may import."""

SCOPES = ("mmengine", "mmseg", "mmpretrain", "mmaction")
"""Scopes of registries that a config may name."""

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
# Names that Runner, hooks and optimizer builders look up in a registry beside ``type``.
_NAMES = re.compile(r"type|\w+_type|constructor")
# mmengine reads these with pickle, and with yaml's unrestricted loader, by what follows the last
# dot of a name, or by the whole name where it has no dot.
_PROGRAMS = ("pkl", "pickle", "yaml", "yml")


def check_untrusted(cfg: Mapping[str, Any], *, source: str) -> None:
    """Refuse a config that could run code when something is built from it.

    Args:
        cfg: Plain values: mappings with string keys, lists, tuples, strings, numbers, booleans
            and None, such as a parsed JSON file or ``Config.to_dict()``.
        source: Where it comes from, for the message.

    Raises:
        CheckpointError: Something in it could run code, or open a connection. The text names the key,
            the value, what is allowed and the mend.

    Example:
        >>> check_untrusted({"model": {"type": "os.system", "command": "true"}}, source="a.json")
        Traceback (most recent call last):
        ...
        CheckpointError: a.json: model.type is 'os.system', which a registry would import; expected a \
registered name, alone or as SCOPE.NAME of mmengine, mmseg, mmpretrain, mmaction. Nothing was \
built. If you trust it, write that part into a config file of your own
    """
    for path, key, value in _items(cfg):
        fault = _fault(path, key, value)
        if fault:
            where = ".".join(map(str, path))
            raise CheckpointError(
                f"{source}: {where} is {value!r}, {fault}. Nothing was built. If you trust it, "
                "write that part into a config file of your own"
            )


def admit_untrusted(cfg: MutableMapping[str, Any], *, source: str) -> None:
    """Check a config, and have its networks be built without fetching weights: its own come along.

    Args:
        cfg: See :func:`check_untrusted`; every ``pretrained`` in it becomes None.
        source: Where it comes from, for the message.

    Raises:
        CheckpointError: As :func:`check_untrusted`.
    """
    check_untrusted(cfg, source=source)
    stack: list[Any] = [cfg]
    while stack:
        value = stack.pop()
        if isinstance(value, MutableMapping):
            if isinstance(value.get("pretrained"), bool | str):
                value["pretrained"] = None
            stack += value.values()
        elif isinstance(value, list | tuple):
            stack += value


def _items(cfg: Any) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Give (path, nearest key, value) of all that is in a config, however deep."""
    stack: list[tuple[tuple[Any, ...], Any, Any]] = [((), "", cfg)]
    while stack:
        path, key, value = stack.pop()
        if path:
            yield path, key, value
        if isinstance(value, Mapping):
            stack += [((*path, name), name, part) for name, part in value.items()]
        elif isinstance(value, list | tuple):
            stack += [((*path, i), key, part) for i, part in enumerate(value)]


def _fault(path: tuple[Any, ...], key: Any, value: Any) -> str | None:
    """Say what could run code in a value and what is allowed, or None."""
    if not _is_plain(key):
        return "under a key that could break out of a dumped config; expected plain names as keys"
    if key == "_base_":
        return "a file that would be run; expected a config without _base_"
    if key == "trust_remote_code" and value:
        return "which lets a model hub's files run; expected False"
    if not isinstance(value, str):
        if value is None or isinstance(value, bool | int | float | Mapping | list | tuple):
            return None
        return f"a {type(value).__name__}; expected strings, numbers, lists and dictionaries"
    if path[0] == "custom_imports":
        return _fault_of_import(value)
    if key in ("_scope_", "default_scope"):
        return None if value in SCOPES else f"expected one of {', '.join(SCOPES)}"
    if key == "dtype" and not value.isidentifier():
        return "which mmpretrain would evaluate; expected a name such as 'float32'"
    if value.lower().rpartition(".")[2] in _PROGRAMS:
        return f"a file that would be unpickled; expected none of {', '.join(_PROGRAMS)}"
    if "://" in value and not _is_idle(path):
        return "an address that would be asked for it; expected a name or a path on this machine"
    return _fault_of_name(key, value)


def _is_idle(path: tuple[Any, ...]) -> bool:
    """Whether nothing that is built from a config asks for a value: see admit_untrusted too."""
    if len(path) == 1:  # a variable of whoever wrote the config
        return path != ("load_from",)
    return path[-1] == "pretrained" or path[-2:] == ("init_cfg", "checkpoint")


def _is_plain(key: Any) -> bool:
    """Whether mmengine writes a key into a config file as it is, which it does without quoting."""
    return isinstance(key, str) and key.isprintable() and not set(key) & set("'\"\\")


def _fault_of_import(value: str) -> str | None:
    within = value.split(".")[0] in PACKAGES and (value.isidentifier() or _DOTTED.fullmatch(value))
    return None if within else f"expected modules of {', '.join(PACKAGES)}"


def _fault_of_name(key: str, value: str) -> str | None:
    """Judge what a registry could be asked for; it imports what it does not know."""
    parts = value.split(".")
    if len(parts) == 2 and parts[0] in SCOPES:
        registered = _is_registered(*parts)
    elif _NAMES.fullmatch(key):
        registered = len(parts) == 1 and not _is_importable(parts[0])
    else:
        registered = not (_DOTTED.fullmatch(value) and _is_importable(parts[0]))
    if registered:
        return None
    return (
        "which a registry would import; expected a registered name, alone or as SCOPE.NAME of "
        f"{', '.join(SCOPES)}"
    )


def _is_importable(module: str) -> bool:
    """Whether the import of a top-level name would run a file."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # what stands half-imported in sys.modules
        return True
    return spec is not None and spec.origin is not None


def _is_registered(scope: str, name: str) -> bool:
    if not _is_importable(scope):
        return False
    roots = [found for found in vars(mmengine.registry).values() if isinstance(found, Registry)]
    if scope == "mmengine":
        found = roots
    else:
        importlib.import_module(f"{scope}.registry")
        found = [root.children[scope] for root in roots if scope in root.children]
    if any(name in registry.module_dict for registry in found):
        return True
    for registry in found:  # whose import takes seconds, so only now
        registry.import_from_location()
    return any(name in registry.module_dict for registry in found)
