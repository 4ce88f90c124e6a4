"""Which errors are this package's answer to bad input, and which are its mistakes.

Whatever a user or a stranger gives, in a file, a config or on a command line, is met by a result or
by one of :data:`KINDS` that a ``raise`` of this package began, whose text names the value, what was
expected and the mend. Everything else is a mistake of the code.
"""

import dis
import pickle
import sysconfig
from pathlib import Path
from traceback import walk_tb

from glore_seg.utils.dependencies import MissingDependencyError

KINDS = (ValueError, TypeError, OSError, pickle.UnpicklingError, MissingDependencyError)
"""Classes of documented errors."""

_PACKAGE = Path(__file__).parent
_INSTALLED = (
    _PACKAGE,
    *{Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)
_LONGEST = 2_000  # characters of a message on a terminal


def is_documented(error: BaseException) -> bool:
    """Whether an error is one for the user, not for who mends the code.

    An OSError of the system, which names its file, is one, too.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return True
    return isinstance(error, KINDS) and _is_ours(error)


def as_line(error: BaseException) -> str:
    """The text of an error as one line of at most 2,000 characters that a terminal can print."""
    line = " ".join(str(error).split()) or type(error).__name__
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 4]} ..."


def went_through_own_code(error: BaseException | None) -> bool:
    """Whether a file outside this package, Python and its packages had a part in an error."""
    while error is not None:
        frames = walk_tb(error.__traceback__)
        if any(not is_installed(frame.f_code.co_filename) for frame, _ in frames):
            return True
        error = error.__cause__ or error.__context__  # registries raise what they catch anew
    return False


def is_installed(file: str) -> bool:
    """Whether a file of code is this package's, Python's or an installed package's, or none."""
    path = Path(file)
    return not path.is_file() or any(path.is_relative_to(place) for place in _INSTALLED)


def place_of(error: BaseException) -> str:
    """Where an error arose: file, in its package, and line."""
    places = [*walk_tb(error.__traceback__)]
    if not places:
        return "an unknown place"
    frame, line = places[-1]
    return f"{'/'.join(Path(frame.f_code.co_filename).parts[-3:])}:{line}"


def _is_ours(error: BaseException | None) -> bool:
    """Whether a ``raise`` of this package began it; registries raise what they catch anew."""
    if type(error).__module__.startswith(f"{_PACKAGE.name}."):  # torch raises a worker's anew
        return True
    while error is not None and error.__traceback__ is not None:
        last = error.__traceback__
        while last.tb_next is not None:
            last = last.tb_next
        code = last.tb_frame.f_code
        raised = code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]
        if raised and Path(code.co_filename).is_relative_to(_PACKAGE):
            return True
        error = error.__cause__ or error.__context__
    return False
