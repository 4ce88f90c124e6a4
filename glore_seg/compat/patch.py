"""What a patch is, and the record of what was done."""

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass

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
    """

    name: str
    reason: str
    upstream: str
    not_needed: Callable[[], str]
    apply: Callable[[], None]

    @property
    def state(self) -> str:
        """``applied``, ``not needed (why)``, ``package not installed`` or ``failed (why)``."""
        return _states.get(self.name, NOT_APPLIED)

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


def is_importable(module: str) -> bool:
    """Whether a top-level module is installed; it is not imported for the answer."""
    return importlib.util.find_spec(module) is not None
