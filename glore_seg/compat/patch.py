"""What a patch is, and the record of what was done."""

import importlib.util
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

logger = logging.getLogger("glore_seg.compat")

APPLIED = "applied"
NOT_INSTALLED = "package not installed"
NOT_APPLIED = "not applied yet"

_states: dict[str, str] = {}


class CannotPatchError(RuntimeError):
    """A patch of an optional package met an error that it was not made for."""


@dataclass(frozen=True)
class Patch:
    """A patch of an upstream package for today's torch, NumPy and setuptools.

    Args:
        name: Short name for logs and reports.
        reason: What the patch is for, with the versions that need it.
        upstream: Import name of the package that is patched.
        not_needed: Looks at upstream and says why it needs no patch; an empty string where it
            does need one.
        apply: Patches upstream. Called once at most, and only where needed. Both raise
            :class:`CannotPatchError` where an optional package is broken in another way.
        module: The module that is patched, where importing it takes long: the patch then waits
            until somebody else imports it.
    """

    name: str
    reason: str
    upstream: str
    not_needed: Callable[[], str]
    apply: Callable[[], None]
    module: str = ""

    @property
    def state(self) -> str:
        """``applied``, ``not needed (why)``, ``failed (why)``, or what it lacks or waits for."""
        if _AfterImport(self) in sys.meta_path:
            return f"waits for the import of {self.module}"
        return _states.get(self.name, NOT_APPLIED)

    def schedule(self) -> None:
        """Run at once, or after the import of :attr:`module` where that is yet to come."""
        if not self.module or self.module in sys.modules or not is_importable(self.upstream):
            self.run()
        elif self.name not in _states and _AfterImport(self) not in sys.meta_path:
            sys.meta_path.insert(0, _AfterImport(self))

    def run(self) -> str:
        """Patches upstream where it needs it; a second call does nothing.

        Returns:
            The state, see :attr:`state`.
        """
        if self.name not in _states:
            _states[self.name] = self._run()
            logger.debug("%s: %s", self.name, _states[self.name])
        return _states[self.name]

    def _run(self) -> str:
        if not is_importable(self.upstream):
            return NOT_INSTALLED
        try:
            why = self.not_needed()
            if why:
                return f"not needed ({why})"
            self.apply()
        except CannotPatchError as error:
            return f"failed ({error})"
        return APPLIED


@dataclass(frozen=True)
class _AfterImport(MetaPathFinder):
    """Runs a patch right after the import of its module."""

    patch: Patch

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.patch.module:
            return None
        others = (finder for finder in sys.meta_path if finder != self)
        specs = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next(filter(None, specs), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                self.patch.run()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def is_importable(module: str) -> bool:
    """Whether a top-level module is installed; it is not imported for the answer."""
    return importlib.util.find_spec(module) is not None
