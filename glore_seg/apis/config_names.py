"""Names at the top of a config that nothing reads, and the keys that are read in their place."""

import ast
import difflib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from glore_seg.errors import ConfigError

# Read from the config by mmengine, by the tools, or by upstream's tools.
_BESIDE_THE_RUNNERS = {
    *("tta_model", "tta_pipeline", "runner_type", "custom_imports", "begin_from", "strategy"),
    *("find_unused_parameters", "sync_bn", "activation_checkpointing", "efficient_conv_bn_eval"),
    *("compile", "model_wrapper_cfg", "_base_"),
}
LIVE = {*inspect.signature(Runner.__init__).parameters, *_BESIDE_THE_RUNNERS} - {"self", "cfg"}
_SHOWN = 4  # keys in a message


def live_names(cfg: Config) -> set[str]:
    """The top-level names that are read. A network's own ``data_preprocessor`` goes first."""
    own = (cfg.get("model") or {}).get("data_preprocessor")
    return LIVE - {"data_preprocessor"} if own else LIVE


def live_keys(cfg: Config, name: str) -> list[str]:
    """The dotted keys that are read and that a name stands for, by its words.

    ``max_iters`` stands for ``train_cfg.max_iters``, ``train_pipeline`` (first and last words) for
    ``train_dataloader.dataset.pipeline``. Keys of the same list or tuple follow, as
    ``model.data_preprocessor.size`` does for ``crop_size``.
    """
    if name in ("seed", "deterministic"):  # which few configs set
        return [f"randomness.{name}"]
    first, _, rest = re.escape(name).partition("_")
    words = re.compile(rf"(.*_)?{re.escape(name)}|{first}_.*_{rest}")
    tops = [top for top in cfg if top in live_names(cfg)]
    values = {key: value for top in tops for key, value in _walk(cfg[top], top)}
    found = [key for key in values if key.split(".")[-1] == name] or [
        key for key in values if words.fullmatch(key.replace(".", "_"))
    ]
    parts = [values[key] for key in found if isinstance(values[key], list | tuple)]
    found += [key for key, value in values.items() if key not in found and value in parts]
    return found[:_SHOWN]


def _hint(cfg: Config, name: str) -> str:
    keys = live_keys(cfg, name) or difflib.get_close_matches(name, LIVE, n=1, cutoff=0.75)
    return f"set {' and '.join(keys)}" if keys else ""


def _walk(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    yield key, node
    items = dict(enumerate(node)) if isinstance(node, list | tuple) else node
    for name, value in items.items() if isinstance(items, dict) else ():
        yield from _walk(value, f"{key}.{name}")


def check_option_names(cfg: Config, options: dict[str, Any]) -> list[str]:
    """Look for options (dotted keys) that change nothing, before they are merged.

    Returns:
        Warnings of names that the config has for itself, or for code of the user.

    Raises:
        ConfigError: The config has no such name, or other keys are read in its place.
    """
    warnings, live = [], live_names(cfg)
    for key in options:
        name = key.split(".")[0]
        if name in live:
            continue
        if name not in cfg or live_keys(cfg, name):
            hint = _hint(cfg, name) or f"expected one of {', '.join(sorted(live & {*cfg}))}"
            raise ConfigError(f"--cfg-options {key}: nothing reads {name!r}: {hint}")
        warnings.append(f"--cfg-options {key}: nothing in this package or OpenMMLab reads {name!r}")
    return warnings


def unused_names(cfg: Config) -> list[str]:
    """Warn of names that the files of a config assign, and that nothing reads.

    A file and those that it inherits from are looked at, without those of installed packages and
    those that inherit nothing: dumped ones, and mmengine's lazy configs (``read_base``).
    """
    warnings = []
    inherited: set[str] = set()  # `_base_.NAME` in what was looked at before
    for file in _files(Path(cfg.filename or "")):
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        used = inherited | _names_read(tree) | _parts_of(live_names(cfg), tree)
        inherited |= {*re.findall(r"_base_(?:\.get\(|\.|\[)[\"']?(\w+)", text)}
        assigned = _names_assigned(tree)
        unused = [name for name in assigned if name not in used and name[0] != "_"]
        if unused and "_base_" in assigned:
            hints = ((name, _hint(cfg, name)) for name in dict.fromkeys(unused))
            named = ", ".join(f"{name} ({hint})" if hint else name for name, hint in hints)
            warnings.append(f"{file} assigns what nothing reads, so that it has no effect: {named}")
    return warnings


def _files(file: Path) -> Iterator[Path]:
    """A config and those that it inherits from, but for the configs of installed packages."""
    if file.suffix != ".py" or not file.is_file() or ".mim" in file.parts:
        return
    yield file
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and "_base_" in _names_assigned(node):
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield from _files(file.parent / part.value)


def _names_assigned(tree: ast.Module | ast.Assign) -> list[str]:
    statements = tree.body if isinstance(tree, ast.Module) else [tree]
    targets = [
        target
        for node in statements
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    names = [part for target in targets for part in ast.walk(target)]
    return [
        part.id for part in names if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    ]


def _names_read(tree: ast.Module) -> set[str]:
    """Names that are read, other than to change a part of their value (``steps[0] = ...``)."""
    changed = set()
    for node in ast.walk(tree):
        part: Any = node
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # steps.insert(...)
            part = node.value.func
        elif not isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        while isinstance(part, ast.Subscript | ast.Attribute):
            part = part.value
        changed.add(part)
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {name.id for name in names if name not in changed}


def _parts_of(names: set[str], tree: ast.Module) -> set[str]:
    """The names, and those of their parts: a change of ``opt = _base_.model.head`` changes it."""
    found = {*names}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute | ast.Subscript):
            start = re.match(r"(?:_base_(?:\.|\['))?(\w+)", ast.unparse(node.value))
            if start and start[1] in found:
                found |= {*_names_assigned(node)}
    return found
