"""Train a config: `python tools/train.py configs/fcn_r50_glore_cityscapes.py`."""

import argparse
import logging
from collections.abc import Sequence

from mmengine.logging import print_log

import glore_seg  # noqa: F401  patches OpenMMLab, so imported before it
from glore_seg.apis import check_config, load_config, use_amp
from glore_seg.cli import add_run_options, add_speed_options, run_tool, set_launcher
from glore_seg.engine import (
    build_runner,
    leave_process_group,
    use_channels_last,
    use_compile,
    use_fsdp,
    use_resume,
    warn_of_other_batch,
)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Train a config for segmentation, classification or video, as its "
        "default_scope says: mmseg, mmpretrain or mmaction.",
        epilog="example: python tools/train.py configs/fcn_r50_glore_cityscapes.py --amp "
        "--cfg-options train_dataloader.batch_size=4",
    )
    parser.add_argument("config", help="config file")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CHECKPOINT",
        help="go on from this checkpoint, or from the latest in the work folder",
    )
    parser.add_argument(
        "--amp", action="store_true", help="mixed precision: bf16 where the device has it"
    )
    parser.add_argument(
        "--fsdp",
        action="store_true",
        help="deal the network out over the processes, for those that fit no single GPU; saving "
        "and resuming are mmengine's own then (docs/distributed.md)",
    )
    parser.add_argument(
        "--skip-checks",
        action="store_true",
        help="leave out what is compared and counted before a training: settings that do not go "
        "together, names that nothing reads, classes without pixels",
    )
    add_speed_options(parser)
    add_run_options(parser)
    args = parser.parse_args(argv)
    if args.compile and args.fsdp:
        parser.error("--compile and --fsdp cannot be had together: leave one of them out")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Build the runner and train."""
    args = parse_args(argv)
    set_launcher(args.launcher, args.local_rank)
    cfg = load_config(
        args.config,
        cfg_options=args.cfg_options,
        work_dir=args.work_dir,
        launcher=args.launcher,
    )
    if args.amp:
        use_amp(cfg)
    if args.resume:
        use_resume(cfg, None if args.resume == "auto" else args.resume)
    if args.channels_last:
        use_channels_last(cfg)
    if args.fsdp:
        use_fsdp(cfg)
    warnings = [] if args.skip_checks else check_config(cfg)
    runner = build_runner(cfg, count_labels=not args.skip_checks)
    for text in warnings:  # below mmengine's long report of the environment
        print_log(text, logger="current", level=logging.WARNING)
    if args.compile:
        use_compile(runner)
    warn_of_other_batch(cfg)
    runner.train()
    leave_process_group()


if __name__ == "__main__":
    run_tool(main)
