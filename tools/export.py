"""Export a network for other runtimes: `python tools/export.py CONFIG CHECKPOINT --out FILE`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  patches OpenMMLab, therefore first
from glore_seg.apis import load_config
from glore_seg.apis.export import FORMATS, export_model
from glore_seg.cli import add_cfg_options, run_tool
from glore_seg.export.checking import as_table


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Export a network for segmentation, classification or video to one file for "
        "other runtimes, and compare it with torch at sizes at which it was not traced. A file "
        "that differs is not kept.",
        epilog="example: python tools/export.py configs/fcn_r50_glore_cityscapes.py CHECKPOINT "
        "--out glore.onnx --argmax",
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("--out", required=True, type=Path, help="file to write, .onnx or .pt2")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="onnx",
        help="onnx, or program for torch.export's (default: onnx)",
    )
    parser.add_argument(
        "--no-resize", action="store_true", help="output logits at the size of the head's"
    )
    parser.add_argument(
        "--argmax", action="store_true", help="output the class of each pixel instead of logits"
    )
    parser.add_argument(
        "--order",
        choices=["auto", "coordinate", "interaction"],
        default="auto",
        help="order of the units' matrix products; the function is the same (default: auto)",
    )
    parser.add_argument(
        "--size",
        type=int,
        nargs=2,
        metavar=("H", "W"),
        help="fix the size of images (default: any size)",
    )
    parser.add_argument(
        "--check",
        type=int,
        nargs=2,
        action="append",
        default=[],
        metavar=("H", "W"),
        help="further size to compare at, such as that of your images",
    )
    parser.add_argument("--opset", type=int, help="of an ONNX file (default: torch's)")
    parser.add_argument(
        "--device", default="cpu", help="of the comparison, and of a program (default: cpu)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace --out")
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Export, check and report."""
    args = parse_args(argv)
    exported = export_model(
        load_config(args.config, cfg_options=args.cfg_options),
        args.checkpoint,
        args.out,
        file_format=args.format,
        resized=not args.no_resize,
        argmax=args.argmax,
        order=args.order,
        size=tuple(args.size) if args.size else None,
        check_sizes=[tuple(size) for size in args.check],
        opset=args.opset,
        device=args.device,
        overwrite=args.overwrite,
    )
    contract = exported.contract
    print(as_table(exported.checks))
    size = args.out.stat().st_size / 1e6
    print(
        f"wrote {args.out} ({size:.1f} MB): {contract.task}, {len(contract.classes)} classes, "
        f"{contract.output} {'resized to the image' if contract.resized else 'not resized'}, "
        f"channels {contract.channel_order}, sizes "
        + (f"{args.size[0]} x {args.size[1]}" if args.size else "any")
        + (f" multiples of {contract.size_divisor}" if contract.size_divisor > 1 else "")
    )


if __name__ == "__main__":
    run_tool(main)
