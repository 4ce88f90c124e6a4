"""What a mend is, and the record of what was done."""

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger("glore_seg.compat")

MENDED = "mended"
NOT_INSTALLED = "host package not installed"
NOT_APPLIED = "not applied yet"

_states: dict[str, str] = {}


class CannotMendError(RuntimeError):
    """A mend of an optional host package met a fault that it was not made for."""


@dataclass(frozen=True)
class Mend:
    """One thing that a host package needs on today's torch, NumPy and setuptools.

    Args:
        name: Short name for logs and reports.
        reason: What the mend is for, with the versions that need it.
        host: Import name of the package that is mended.
        not_needed: Looks at the host and says why it needs no mend; an empty string where it
            does need one.
        apply: Mends the host. Called once at most, and only where needed. Both raise
            :class:`CannotMendError` where an optional package is broken in another way.
    """

    name: str
    reason: str
    host: str
    not_needed: Callable[[], str]
    apply: Callable[[], None]

    @property
    def state(self) -> str:
        """``mended``, ``not needed (why)``, ``host package not installed`` or ``failed (why)``."""
        return _states.get(self.name, NOT_APPLIED)

    def run(self) -> str:
        """Mends the host where it needs it; a second call does nothing.

        Returns:
            The state, see :attr:`state`.
        """
        if self.name not in _states:
            _states[self.name] = self._run()
            logger.debug("%s: %s", self.name, _states[self.name])
        return _states[self.name]

    def _run(self) -> str:
        if not is_importable(self.host):
            return NOT_INSTALLED
        try:
            why = self.not_needed()
            if why:
                return f"not needed ({why})"
            self.apply()
        except CannotMendError as error:
            return f"failed ({error})"
        return MENDED


def is_importable(module: str) -> bool:
    """Whether a top-level module is installed; it is not imported for the answer."""
    return importlib.util.find_spec(module) is not None
