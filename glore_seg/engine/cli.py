"""Command-line options of the tools, named as mmseg's own."""

import argparse
import os

from mmengine.config import DictAction


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


def set_local_rank(local_rank: int) -> None:
    """Give mmengine the rank that old launchers pass on the command line."""
    os.environ.setdefault("LOCAL_RANK", str(local_rank))
