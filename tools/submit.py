"""Make a Cityscapes submission: `python tools/submit.py CONFIG CHECKPOINT --out results.zip`."""

import argparse
from collections.abc import Sequence

import glore_seg  # noqa: F401  patches OpenMMLab, so import it first
from glore_seg.apis import load_config, submit, use_inference, use_split, use_tta
from glore_seg.cli import add_cfg_options, add_launcher_options, run_tool, set_launcher
from glore_seg.engine import leave_process_group


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Predict a split, check its label ids and pack them for the test server. "
        "Interrupted, the same command continues.",
        epilog="example: python tools/submit.py configs/fcn_r50_glore_cityscapes-trainval.py "
        "work_dirs/fcn_r50_glore_cityscapes-trainval/iter_80000.pth --tta --out results.zip",
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("--out", required=True, help="the zip to write")
    parser.add_argument("--overwrite", action="store_true", help="replace the zip")
    parser.add_argument("--split", default="test", help="train, val or test (default: test)")
    parser.add_argument("--tta", action="store_true", help="average over scales and flips")
    parser.add_argument(
        "--mode", choices=["whole", "slide"], help="whole images or sliding windows"
    )
    for name, text in (("--crop-size", "size of a window"), ("--stride", "step between windows")):
        metavar = ("HEIGHT", "WIDTH")
        parser.add_argument(name, type=int, nargs=2, metavar=metavar, help=f"{text} in pixels")
    parser.add_argument(
        "--work-dir",
        help="folder for the images, kept at the end (default: that of the zip with _images in "
        "place of .zip)",
    )
    add_cfg_options(parser)
    add_launcher_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Predict, check and pack."""
    args = parse_args(argv)
    set_launcher(args.launcher, args.local_rank)
    cfg = load_config(args.config, cfg_options=args.cfg_options, launcher=args.launcher)
    use_split(cfg, args.split)
    use_inference(cfg, args.mode, crop_size=args.crop_size, stride=args.stride)
    if args.tta:
        use_tta(cfg)
    report = submit(
        cfg,
        args.checkpoint,
        split=args.split,
        out=args.out,
        work_dir=args.work_dir,
        overwrite=args.overwrite,
    )
    leave_process_group()
    if report:
        # The server scores only the test split; tools/check_submission.py scores the others.
        ready = " for the server" if args.split == "test" else ""
        print("\n".join([*report.lines(), f"{args.out} is ready{ready}"]))


if __name__ == "__main__":
    run_tool(main, resumable=True)
