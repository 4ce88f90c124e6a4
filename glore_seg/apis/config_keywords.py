"""Settings that the class of a part of a config does not take."""

import inspect
from typing import Any

from mmengine.registry import Registry
from mmseg.models.decode_heads.decode_head import BaseDecodeHead

from glore_seg.errors import ConfigError


def class_of(settings: Any, registry: Registry) -> type | None:
    """The class that a part of a config asks for; None where the registry does not know it."""
    found = settings.get("type") if isinstance(settings, dict) else None
    if isinstance(found, str):
        with registry.switch_scope_and_registry(settings.get("_scope_")) as scoped:
            found = scoped.get(found)
    return found if isinstance(found, type) else None


def check_keywords(key: str, settings: Any, registry: Registry) -> None:
    """Raise a ConfigError for settings that a class does not take, which are inherited as a rule.

    Classes whose signature leaves that open (``**kwargs``) are passed over.
    """
    kind = class_of(settings, registry)
    wrong = [] if kind is None else sorted({*settings} - _keywords(kind, {*settings}))
    if wrong:
        raise ConfigError(
            f"{key}: {settings['type']} does not take {', '.join(wrong)}; expected settings of "
            f"this class only: set {key}._delete_=True to inherit none, or correct the names"
        )


def _keywords(kind: type, given: set[str]) -> set[str]:
    """The keywords of a class, or all given ones where its signature leaves them open.

    The decode heads of mmseg and of this package hand ``**kwargs`` to their base class.
    """
    known = {"type", "_scope_"}
    for owner in kind.__mro__:
        if "__init__" not in vars(owner):
            continue
        parameters = inspect.signature(vars(owner)["__init__"]).parameters
        known |= {*parameters}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return known if owner is kind or owner is BaseDecodeHead else given
        if owner.__module__.split(".")[0] not in ("mmseg", "glore_seg"):
            return given
    return given
