"""What the command-line tools share: how they end, and options, named as in mmsegmentation."""

import argparse
import atexit
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import torch.distributed as dist
from mmengine.config import DictAction

from glore_seg.engine import TrainingStopped
from glore_seg.errors import ConfigError, GloReSegError

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


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--work-dir``, ``--cfg-options``, ``--launcher`` and ``--local-rank``."""
    parser.add_argument("--work-dir", help="folder for logs and checkpoints")
    add_cfg_options(parser)
    add_launcher_options(parser)


def add_launcher_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--launcher`` and ``--local-rank``."""
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="how the processes were started; see tools/dist_train.sh and slurm_train.sh",
    )
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def add_speed_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--channels-last`` and ``--compile``."""
    parser.add_argument(
        "--channels-last",
        action="store_true",
        help="use the channels-last memory format, in which convolutions are faster",
    )
    parser.add_argument(
        "--compile",
        action="store_true",
        help="compile backbone, neck and heads with torch.compile; takes minutes at the start and "
        "again for every new image size",
    )


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=_CfgOptions,
        metavar="KEY=VALUE",
        help="override settings of the config, e.g. model.decode_head.num_units=2, "
        "model.data_preprocessor.size=512,512 or optim_wrapper.clip_grad.max_norm=1",
    )


class _CfgOptions(DictAction):
    """mmengine's ``DictAction`` with an argparse error that names the value it cannot parse."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Parse the values one by one."""
        for value in values:
            try:
                super().__call__(parser, argparse.Namespace(), [value], option_string)
            except (ValueError, AssertionError, IndexError) as error:
                raise argparse.ArgumentError(
                    self, f"{value!r} is not KEY=VALUE with a value such as 1, 'text', a,b or [a,b]"
                ) from error
        super().__call__(parser, namespace, values, option_string)


def set_launcher(launcher: str, local_rank: int) -> None:
    """Pass mmengine the local rank that old launchers give on the command line.

    Raises:
        ConfigError: ``--launcher`` is none, and each of several processes would do all of the work
            and write the same files.
    """
    world_size = os.environ.get("WORLD_SIZE", "1")
    if launcher == "none" and world_size != "1":
        raise ConfigError(
            f"WORLD_SIZE is {world_size}, but --launcher is none; expected one process, or "
            "--launcher pytorch: use tools/dist_*.sh"
        )
    os.environ.setdefault("LOCAL_RANK", str(local_rank))
