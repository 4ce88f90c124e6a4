"""Evaluate a checkpoint: `python tools/test.py CONFIG CHECKPOINT`."""

import argparse
from collections.abc import Sequence

import glore_seg  # noqa: F401  patches OpenMMLab, so import it first
from glore_seg.apis import load_config, use_output_dir, use_tta, use_visualization
from glore_seg.cli import add_run_options, add_speed_options, run_tool, set_launcher
from glore_seg.engine import (
    build_runner,
    forget_training,
    fuse_runner,
    leave_process_group,
    use_channels_last,
    use_compile,
)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Evaluate a checkpoint, or only write its predictions. The config's "
        "default_scope selects the task: mmseg, mmpretrain or mmaction.",
        epilog="example: python tools/test.py configs/fcn_r50_glore_cityscapes.py "
        "work_dirs/fcn_r50_glore_cityscapes/iter_80000.pth --tta --show-dir drawn",
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument(
        "--out",
        help="folder for predicted label maps; label ids with CityscapesScoreMetric",
    )
    parser.add_argument(
        "--format-only",
        action="store_true",
        help="write predictions to --out without scoring; the dataset needs no labels",
    )
    parser.add_argument("--show", action="store_true", help="show the predictions in a window")
    parser.add_argument(
        "--show-dir", help="folder for drawn predictions, in the run's work directory"
    )
    parser.add_argument(
        "--wait-time", type=float, default=2.0, help="seconds that --show waits (default: 2)"
    )
    parser.add_argument(
        "--amp", action="store_true", help="mixed precision: bf16 on a CPU, fp16 on a GPU"
    )
    parser.add_argument("--tta", action="store_true", help="average over scales and flips")
    parser.add_argument(
        "--fuse-conv-bn", action="store_true", help="fold BatchNorm into the convolutions first"
    )
    add_speed_options(parser)
    add_run_options(parser)
    args = parser.parse_args(argv)
    if args.format_only and not args.out:
        parser.error("--format-only needs --out, the folder for the predictions")
    return args


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Build the runner, test, and return the scores."""
    args = parse_args(argv)
    set_launcher(args.launcher, args.local_rank)
    cfg = load_config(
        args.config,
        cfg_options=args.cfg_options,
        work_dir=args.work_dir,
        launcher=args.launcher,
    )
    cfg.load_from = args.checkpoint
    if args.show or args.show_dir:
        use_visualization(cfg, show=args.show, show_dir=args.show_dir, wait_time=args.wait_time)
    if args.amp:
        cfg.test_cfg.fp16 = True  # mmengine's name for autocast of any type
    if args.tta:
        use_tta(cfg)
    if args.out:
        use_output_dir(cfg, args.out, format_only=args.format_only)
    if args.channels_last:
        use_channels_last(cfg)
    runner = build_runner(cfg, keep_config=True)
    forget_training(runner)
    if args.compile:
        use_compile(runner)
    if args.fuse_conv_bn:
        fuse_runner(runner)
    scores = runner.test()
    leave_process_group()
    return scores


if __name__ == "__main__":
    run_tool(main)
