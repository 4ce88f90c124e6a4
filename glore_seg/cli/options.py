"""Command-line options that the tools share, named as in mmsegmentation."""

import argparse
import os
from typing import Any

from mmengine.config import DictAction

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
        help='override settings of the config, e.g. model.decode_head.num_units=2 or key="[a,b]"',
    )


class _CfgOptions(DictAction):
    """mmengine's ``DictAction`` with an argparse error for values that it cannot parse."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Parse the values."""
        try:
            super().__call__(parser, namespace, values, option_string)
        except (ValueError, AssertionError, IndexError) as error:
            raise argparse.ArgumentError(
                self, f"{values} are not KEY=VALUE with values such as 1, 'text', a,b or [a,b]"
            ) from error


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
