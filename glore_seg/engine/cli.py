"""Command-line options of the tools, named as mmseg's own."""

import argparse
import atexit
import dis
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import torch.distributed as dist
from mmengine.config import DictAction

import glore_seg
from glore_seg.engine.long_runs import TrainingStopped
from glore_seg.extras import MissingExtraError

_PACKAGE = Path(glore_seg.__file__).parent
_DEAD_WORKER = "DataLoader worker (pid"  # torch says so of one that was killed


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
        "for every further size of picture",
    )


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help='override settings of the config, e.g. model.decode_head.num_units=2 or key="[a,b]"',
    )


def set_launcher(launcher: str, local_rank: int) -> None:
    """Give mmengine the rank that old launchers pass on the command line.

    Args:
        launcher: ``--launcher``.
        local_rank: ``--local-rank``.

    Raises:
        ValueError: Several processes were started, and ``launcher`` is ``"none"``: each would do
            all of the work, and all write the same files.
    """
    processes = os.environ.get("WORLD_SIZE", "1")
    if launcher == "none" and processes != "1":
        raise ValueError(
            f"WORLD_SIZE is {processes}, so several processes were started, but --launcher is "
            "none; expected one: add --launcher pytorch, or use tools/dist_*.sh"
        )
    os.environ.setdefault("LOCAL_RANK", str(local_rank))


def run_tool(main: Callable[[], object]) -> NoReturn:
    """Run a tool and end the process as its exit code says.

    What a user can mend, a ValueError, a refused checkpoint or a missing extra that this package
    raises, an OSError, or the death of a data worker, is printed as one line, ``error: ...``, and
    ends with 2. A training that a signal stopped ends with 128 + the signal's number. Everything
    else keeps its traceback.

    Args:
        main: The tool's; an int that it returns is the exit code.
    """
    try:
        code = main()
    except TrainingStopped as stopped:
        print(stopped, file=sys.stderr)
        code = stopped.code
    except (ValueError, pickle.UnpicklingError, MissingExtraError, OSError) as error:
        if not (isinstance(error, OSError) or _is_ours(error)):
            raise
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except RuntimeError as error:
        if _DEAD_WORKER not in str(error):
            raise
        print(
            f"error: a data worker died ({str(error).strip()}). A kill comes from too little "
            "memory as a rule: set the loader's num_workers lower, then repeat the command",
            file=sys.stderr,
        )
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


def _is_ours(error: BaseException | None) -> bool:
    """Whether a ``raise`` of this package began it; registries raise what they catch anew."""
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
