"""Segment images and videos: `python tools/predict.py SOURCE INPUT... --out FOLDER`."""

import argparse
import sys
from collections.abc import Sequence

import glore_seg  # noqa: F401  mends the host, so before anything of OpenMMLab's
from glore_seg.apis.inference import (
    OutputFolder,
    Segmenter,
    find_tasks,
    segment_folders,
    sole_predictor,
)
from glore_seg.apis.inference.sources import hash_source
from glore_seg.cli import add_cfg_options, one_line, run_tool
from glore_seg.evaluation import label_id_table


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Write label maps, overlays and a table of class shares of images, and "
        "overlays of videos. Interrupted, the same command goes on where it stopped. Ends with 0 "
        "when all is done, 1 when some files can't be segmented (they are listed at the end), "
        "130 when interrupted.",
        epilog="example: python tools/predict.py work_dirs/glore/iter_80000.pth street.jpg frames/ "
        "--out predictions",
    )
    parser.add_argument(
        "source",
        help="a checkpoint with its config inside or beside it, a folder of "
        "model_converters/hub.py, an .onnx file, or a config with --checkpoint",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="images, videos, folders of them (with the folders in them), globs",
    )
    parser.add_argument("--out", required=True, help="folder for labels/, overlays/, shares.csv")
    parser.add_argument("--checkpoint", help="weights, where SOURCE is a config")
    parser.add_argument(
        "--ids",
        choices=["train", "label"],
        default="train",
        help="what label maps hold: indices of the classes, or Cityscapes' label ids "
        "(default: train)",
    )
    parser.add_argument(
        "--frames", action="store_true", help="label maps for each frame of a video, too"
    )
    parser.add_argument(
        "--opacity", type=float, default=0.5, help="of label maps in overlays (default: 0.5)"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="begin anew, replace what is there"
    )
    parser.add_argument("--device", help="such as cpu or cuda:1 (default: a GPU if there is one)")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument(
        "--mode", choices=["whole", "slide"], help="whole images or sliding windows"
    )
    parser.add_argument("--tta", action="store_true", help="multi-scale and flip")
    parser.add_argument(
        "--batch-size",
        type=int,
        default=1,
        help="images of equal size that run together, at most (default: 1)",
    )
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Segment, and return the exit code."""
    args = parse_args(argv)
    tasks = find_tasks(args.inputs, args.out)
    segmenter = Segmenter(
        args.source,
        checkpoint=args.checkpoint,
        device=args.device,
        precision=args.precision,
        mode=args.mode,
        tta=args.tta,
        cfg_options=args.cfg_options,
    )
    kept = ("ids", "frames", "opacity", "precision", "mode", "tta", "cfg_options")
    settings = {
        "source": hash_source(args.source),
        "checkpoint": args.checkpoint and hash_source(args.checkpoint),
        **{key: getattr(args, key) for key in kept},
    }
    with sole_predictor(args.out):
        folder = OutputFolder(
            args.out,
            settings,
            classes=segmenter.classes,
            table=label_id_table(segmenter.classes) if args.ids == "label" else None,
            opacity=args.opacity,
            overwrite=args.overwrite,
        )
        summary = segment_folders(
            segmenter,
            tasks,
            folder,
            frames=args.frames,
            batch_size=args.batch_size,
            overwrite=args.overwrite,
        )
    print(f"{summary.made} segmented, {summary.kept} done before: {args.out}")
    for failure in summary.failures:
        print(f"failed: {one_line(failure.error)}", file=sys.stderr)
    return 1 if summary.failures else 0


if __name__ == "__main__":
    run_tool(main, resumable=True)
