"""Segment images and videos: `python tools/predict.py SOURCE INPUT... --out FOLDER`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  patches OpenMMLab, so import it first
from glore_seg.apis.inference import OutputFolder, Segmenter, find_jobs, segment_folders
from glore_seg.apis.inference.sources import hash_source
from glore_seg.cli import add_cfg_options, one_line, run_tool
from glore_seg.evaluation.label_ids import LABEL_FORMATS, table_of_format
from glore_seg.utils.files import locked


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Write label maps, overlays and a table of class shares of images, and "
        "overlays of videos. Interrupted, the same command continues. The exit code is 0 if all "
        "files are done, 1 if some cannot be segmented (they are listed at the end), 130 after "
        "Ctrl-C.",
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
    parser.add_argument("--checkpoint", help="weights, if SOURCE is a config")
    parser.add_argument(
        "--label-format",
        choices=LABEL_FORMATS,
        default="dataset",
        help="values of label maps: as in the dataset's (the index of the class, plus 1 with "
        "reduce_zero_label), always the index, or Cityscapes' label ids (default: dataset)",
    )
    parser.add_argument(
        "--frames", action="store_true", help="write label maps for each frame of a video"
    )
    parser.add_argument(
        "--opacity", type=float, default=0.5, help="of label maps in overlays (default: 0.5)"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="start again and replace existing results"
    )
    parser.add_argument("--device", help="such as cpu or cuda:1 (default: the first GPU, or cpu)")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument(
        "--mode", choices=["whole", "slide"], help="whole images or sliding windows"
    )
    parser.add_argument("--tta", action="store_true", help="average over scales and flips")
    parser.add_argument(
        "--batch-size",
        type=int,
        default=1,
        help="consecutive images of equal size that run together, at most (default: 1)",
    )
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Segment, and return the exit code."""
    args = parse_args(argv)
    jobs = find_jobs(args.inputs, args.out)
    segmenter = Segmenter(
        args.source,
        checkpoint=args.checkpoint,
        device=args.device,
        precision=args.precision,
        mode=args.mode,
        tta=args.tta,
        cfg_options=args.cfg_options,
    )
    keys = ("label_format", "frames", "opacity", "precision", "mode", "tta", "cfg_options")
    settings = {
        "source": hash_source(args.source),
        "checkpoint": args.checkpoint and hash_source(args.checkpoint),
        **{key: getattr(args, key) for key in keys},
    }
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out / "predict.lock", doing=f"segmenting into {out}"):
        folder = OutputFolder(
            out,
            settings,
            classes=segmenter.classes,
            table=table_of_format(
                args.label_format, segmenter.classes, reduce_zero_label=segmenter.reduce_zero_label
            ),
            opacity=args.opacity,
            overwrite=args.overwrite,
        )
        summary = segment_folders(
            segmenter,
            jobs,
            folder,
            frames=args.frames,
            batch_size=args.batch_size,
        )
    print(f"{summary.segmented} segmented, {summary.skipped} done before: {out}")
    for failure in summary.failures:
        print(f"failed: {one_line(failure.error)}", file=sys.stderr)
    return 1 if summary.failures else 0


if __name__ == "__main__":
    run_tool(main, resumable=True)
