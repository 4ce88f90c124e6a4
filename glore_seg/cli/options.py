"""Command-line options of the tools, named as mmseg's own."""

import argparse
import atexit
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import torch.distributed as dist
from mmengine.config import DictAction

from glore_seg.documented_errors import as_line, is_documented
from glore_seg.engine import TrainingStopped
from glore_seg.engine.corrupted_samples import death_of_worker
from glore_seg.engine.hooks.peer_heartbeat_hook import EXIT_CODE, lost_connection
from glore_seg.engine.network_errors import explain_network_error
from glore_seg.errors import ConfigError


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
        help="how several processes were started; see tools/dist_train.sh and slurm_train.sh",
    )
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def add_speed_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--channels-last`` and ``--compile``."""
    parser.add_argument(
        "--channels-last",
        action="store_true",
        help="keep feature maps with the channels last: convolutions then rearrange nothing",
    )
    parser.add_argument(
        "--compile",
        action="store_true",
        help="compile backbone, neck and heads with torch.compile: minutes at the start, and again "
        "for every further size of image",
    )


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=_Options,
        metavar="KEY=VALUE",
        help='override settings of the config, e.g. model.decode_head.num_units=2 or key="[a,b]"',
    )


class _Options(DictAction):
    """mmengine's ``KEY=VALUE`` that says what it cannot read instead of how it failed."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Read the values, each by itself, so that the wrong one is named."""
        for value in values:
            try:
                super().__call__(parser, argparse.Namespace(), [value], option_string or "")
            except Exception as error:  # assertions, and failures to unpack
                raise argparse.ArgumentError(
                    self,
                    f"{as_line(ValueError(value))!r} is not KEY=VALUE with a value such as 1, "
                    "'text', a,b or [a,(b,c)]",
                ) from error
        super().__call__(parser, namespace, values, option_string or "")


def set_launcher(launcher: str, local_rank: int) -> None:
    """Give mmengine the rank that old launchers pass on the command line.

    Args:
        launcher: ``--launcher``.
        local_rank: ``--local-rank``.

    Raises:
        ConfigError: Several processes were started, and ``launcher`` is ``"none"``: each would do
            all of the work, and all write the same files; or it is ``"pytorch"`` and torchrun has
            started nothing.
    """
    processes = os.environ.get("WORLD_SIZE", "1")
    if launcher == "none" and processes != "1":
        raise ConfigError(
            f"WORLD_SIZE is {processes}, so several processes were started, but --launcher is "
            "none; expected one: add --launcher pytorch, or use tools/dist_*.sh"
        )
    missing = [name for name in ("RANK", "WORLD_SIZE") if name not in os.environ]
    if launcher == "pytorch" and missing:
        raise ConfigError(
            f"--launcher is pytorch, and {' and '.join(missing)}, which torchrun sets, are not "
            "there; expected to be started by it: use tools/dist_*.sh, or leave --launcher out"
        )
    os.environ.setdefault("LOCAL_RANK", str(local_rank))


def run_tool(main: Callable[[], object], *, goes_on: bool = False) -> NoReturn:
    """Run a tool and end the process as its exit code says.

    What a user can mend, an OSError, what :mod:`glore_seg.documented_errors` tells, layers that do
    not fit, or the death of a data worker, is printed as one line, ``error: ...``, and ends with 2.
    A training that a signal stopped ends with 128 + the signal's number, a process whose peers are
    gone with 75, Ctrl-C with 130, in one line too. Everything else keeps its traceback.

    Args:
        main: The tool's; an int that it returns is the exit code.
        goes_on: Whether the same command goes on where an interrupted one stopped.
    """
    try:
        code = main()
    except TrainingStopped as stopped:
        print(stopped, file=sys.stderr)
        code = stopped.code
    except KeyboardInterrupt:
        rest = ": the same command goes on where it stopped" if goes_on else ""
        print(f"\ninterrupted{rest}", file=sys.stderr)
        code = 128 + signal.SIGINT
    except Exception as error:
        lost = lost_connection(error)
        death = death_of_worker(error)
        if lost is not None:
            print(lost, file=sys.stderr)
            code = EXIT_CODE
        elif death is not None:
            print(
                f"error: a data worker died ({str(death[1]).strip()}). A kill comes from too "
                "little memory as a rule: set the loader's num_workers lower, then repeat the "
                "command",
                file=sys.stderr,
            )
            code = 2
        else:
            told = isinstance(error, OSError) or is_documented(error)
            line = as_line(error) if told else explain_network_error(error)
            if line is None:
                raise
            print(f"error: {line}", file=sys.stderr)
            code = 2
    _leave(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """End the process; one with a group of gloo's at once.

    Threads of gloo that the interpreter's end comes upon can abort the process or wait for ever,
    and the launcher would take the work, which is done, for failed.
    """
    if dist.is_available() and dist.is_initialized() and dist.get_backend() == "gloo":
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
