"""How a tool ends: its exit code, and errors in one line."""

import atexit
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

import torch.distributed as dist

from glore_seg.engine import TrainingStopped
from glore_seg.errors import GloReSegError

_MAX_LENGTH = 2_000  # characters of a message


def run_tool(main: Callable[[], object], *, resumable: bool = False) -> NoReturn:
    """Run a tool and exit.

    ========================  ========================  ================================
    how ``main`` ends         standard error            exit code
    ========================  ========================  ================================
    it returns                nothing                   the int that it returns, or 0
    :class:`GloReSegError`    one line, ``error: ...``  2
    :class:`TrainingStopped`  one line                  128 + the number of the signal
    Ctrl-C                    one line                  130
    any other exception       its traceback             1
    ========================  ========================  ================================

    Args:
        main: The tool's function.
        resumable: Whether the same command continues an interrupted one.
    """
    try:
        code = main()
    except TrainingStopped as stopped:
        print(stopped, file=sys.stderr)
        code = stopped.code
    except KeyboardInterrupt:
        hint = ": run the same command again to continue" if resumable else ""
        print(f"\ninterrupted{hint}", file=sys.stderr)
        code = 128 + signal.SIGINT
    except GloReSegError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        code = 2
    _exit(code if isinstance(code, int) else 0)


def one_line(error: BaseException) -> str:
    """The message of an error in one printable line of at most 2,000 characters.

    torch prefixes an error of a data worker with the worker's traceback, which is left out.
    """
    name, message = type(error).__name__, str(error)
    if message.startswith(f"Caught {name} in DataLoader worker"):
        message = message.rpartition(f"{name}: ")[2]
    line = " ".join(message.split()) or name
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
    return line if len(line) <= _MAX_LENGTH else f"{line[: _MAX_LENGTH - 4]} ..."


def _exit(code: int) -> NoReturn:
    """Exit; with a process group of gloo, without the interpreter's cleanup.

    Threads of gloo can abort or block that cleanup, which the launcher would take for a failure.
    """
    if dist.is_available() and dist.is_initialized() and dist.get_backend() == "gloo":
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
