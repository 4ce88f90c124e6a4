"""The whole job in minutes on a CPU: `python -m projects.synthetic_data.demo_command demo_output`, or `make demo`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  mends the host, so before anything of OpenMMLab's
from glore_seg.cli import run_tool
from projects.synthetic_data.demo import run_demo

CONFIG = Path(__file__).parents[2] / "configs" / "fcn_r18_glore_street-scenes.py"


def main(argv: Sequence[str] | None = None) -> None:
    """Make street scenes, train, evaluate and draw."""
    parser = argparse.ArgumentParser(
        description="Make street scenes, train a small FCN + GloRe on them, evaluate, draw. "
        "Interrupted, it goes on where it stopped.",
        epilog="example: python -m projects.synthetic_data.demo_command demo_output",
    )
    parser.add_argument("out_dir", type=Path, help="folder for everything that it makes")
    parser.add_argument("--config", default=CONFIG, help="config to train (default: %(default)s)")
    parser.add_argument(
        "--iters", type=int, help="length of the training (default: the config's own)"
    )
    args = parser.parse_args(argv)
    run_demo(str(args.config), args.out_dir, max_iters=args.iters)


if __name__ == "__main__":
    run_tool(main, resumable=True)
