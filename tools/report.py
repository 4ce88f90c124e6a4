"""Write a report of a training: `python tools/report.py work_dirs/fcn_r50_glore_cityscapes`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  patches OpenMMLab, so it comes first
from glore_seg.apis.report import write_report
from glore_seg.cli import add_cfg_options, run_tool


def main(argv: Sequence[str] | None = None) -> None:
    """Evaluate the checkpoint of a training on val and write the report."""
    parser = argparse.ArgumentParser(
        description="Write a report of a training as one HTML page: configuration, curves, class "
        "table, confusion matrix, predictions, projection maps, speed and memory. It evaluates "
        "the best checkpoint on val.",
        epilog="example: python tools/report.py work_dirs/fcn_r50_glore_cityscapes",
    )
    parser.add_argument("work_dir", type=Path, help="work folder of the training")
    parser.add_argument("--out", type=Path, help="output file (default: WORK_DIR/report.html)")
    parser.add_argument("--config", help="config (default: the one in WORK_DIR)")
    parser.add_argument(
        "--checkpoint", type=Path, help="weights (default: the best by mIoU in WORK_DIR)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the output file")
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    out_file = args.out or args.work_dir / "report.html"
    evaluation = write_report(
        args.work_dir,
        out_file,
        config=args.config,
        checkpoint=args.checkpoint,
        cfg_options=args.cfg_options,
        overwrite=args.overwrite,
    )
    print(f"mIoU {evaluation.mean_iou:.2f} %; wrote {out_file}")


if __name__ == "__main__":
    run_tool(main)
