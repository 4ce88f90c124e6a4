"""Refuse a config from elsewhere that could run code once something is built from it.

A config file of OpenMMLab is a program, and even its plain values can call one: a registry imports
names that it does not know (``type="os.system"``), ``custom_imports`` imports anything, a loss
unpickles or downloads its ``class_weight``. What passes here only names registered classes.
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
"""Packages that ``custom_imports`` may import."""

SCOPES = ("mmengine", "mmseg", "mmpretrain", "mmaction")
"""Registry scopes that a config may name."""

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
# Keys that Runner, hooks and optimizer builders look up in a registry, beside ``type``.
_NAMES = re.compile(r"type|\w+_type|constructor")
# mmengine reads these with pickle or yaml's unrestricted loader, by what follows the last dot of
# a name, or by the name itself where it has no dot.
_PROGRAMS = ("pkl", "pickle", "yaml", "yml")


def admit_untrusted(cfg: MutableMapping[str, Any], *, source: str) -> None:
    """Check a config, and set every ``pretrained`` to None, so that nothing is downloaded.

    ``cfg`` is of plain values, such as parsed JSON or ``Config.to_dict()``, and is changed in
    place; ``source`` is its name for messages.

    Raises:
        CheckpointError: A value could run code or open a connection.

    Example:
        >>> admit_untrusted({"model": {"type": "os.system", "command": "true"}}, source="a.json")
        Traceback (most recent call last):
        ...
        glore_seg.errors.CheckpointError: a.json: model.type is 'os.system', which a registry \
would import; expected a registered name, alone or as SCOPE.NAME of mmengine, mmseg, mmpretrain, \
mmaction. Nothing was built. If you trust it, write that part into a config file of your own
    """
    for path, key, value in _items(cfg):
        reason = _reason_to_refuse(path, key, value)
        if reason:
            raise CheckpointError(
                f"{source}: {'.'.join(map(str, path))} is {value!r}, {reason}. Nothing was built. "
                "If you trust it, write that part into a config file of your own"
            )
    for mapping in [cfg, *(value for _, _, value in _items(cfg))]:
        if isinstance(mapping, dict) and isinstance(mapping.get("pretrained"), bool | str):
            mapping["pretrained"] = None


def _items(cfg: Any) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Yield (path, nearest key, value) of all parts of a config, at any depth."""
    stack: list[tuple[tuple[Any, ...], Any, Any]] = [((), "", cfg)]
    while stack:
        path, key, value = stack.pop()
        if path:
            yield path, key, value
        if isinstance(value, Mapping):
            stack += [((*path, name), name, part) for name, part in value.items()]
        elif isinstance(value, list | tuple):
            stack += [((*path, i), key, part) for i, part in enumerate(value)]


def _reason_to_refuse(path: tuple[Any, ...], key: Any, value: Any) -> str | None:
    # mmengine writes keys into a config file without quoting them.
    if not (isinstance(key, str) and key.isprintable() and not set(key) & set("'\"\\")):
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
        allowed = value.split(".")[0] in PACKAGES
        if allowed and (value.isidentifier() or _DOTTED.fullmatch(value)):
            return None
        return f"expected modules of {', '.join(PACKAGES)}"
    if key in ("_scope_", "default_scope"):
        return None if value in SCOPES else f"expected one of {', '.join(SCOPES)}"
    if key == "dtype" and not value.isidentifier():
        return "which mmpretrain would evaluate; expected a name such as 'float32'"
    if value.lower().rpartition(".")[2] in _PROGRAMS:
        return f"a file that would be unpickled; expected none of {', '.join(_PROGRAMS)}"
    if "://" in value and not _is_unused(path):
        return "a URL that would be requested; expected a name or a path on this machine"
    if _may_be_imported(key, value):
        return (
            "which a registry would import; expected a registered name, alone or as SCOPE.NAME of "
            f"{', '.join(SCOPES)}"
        )
    return None


def _is_unused(path: tuple[Any, ...]) -> bool:
    """Whether nothing requests a URL: a variable, or pretrained weights that are not loaded."""
    if len(path) == 1:
        return path != ("load_from",)
    return path[-1] == "pretrained" or path[-2:] == ("init_cfg", "checkpoint")


def _may_be_imported(key: str, value: str) -> bool:
    """Whether a registry that is asked for a value would import a module."""
    parts = value.split(".")
    if len(parts) == 2 and parts[0] in SCOPES:
        return not _is_registered(*parts)
    if _NAMES.fullmatch(key):
        return len(parts) > 1 or _is_importable(value)
    return bool(_DOTTED.fullmatch(value)) and _is_importable(parts[0])


def _is_importable(module: str) -> bool:
    """Whether importing a top-level name would run a file."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # a module in sys.modules without a spec
        return True
    return spec is not None and spec.origin is not None


def _is_registered(scope: str, name: str) -> bool:
    if not _is_importable(scope):
        return False
    registries = [each for each in vars(mmengine.registry).values() if isinstance(each, Registry)]
    if scope != "mmengine":
        importlib.import_module(f"{scope}.registry")
        registries = [each.children[scope] for each in registries if scope in each.children]
    if any(name in registry.module_dict for registry in registries):
        return True
    for registry in registries:  # slow, therefore only now
        registry.import_from_location()
    return any(name in registry.module_dict for registry in registries)
