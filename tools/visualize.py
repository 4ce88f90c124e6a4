"""Figures 5 and 7 of the paper: `visualize.py compare` and `visualize.py projections`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  patches OpenMMLab, so it comes first
from glore_seg.apis import load_config
from glore_seg.apis.visualize import compare_models, visualize_projections
from glore_seg.cli import add_cfg_options, run_tool
from glore_seg.errors import ConfigError
from glore_seg.visualization.projections import COLORS


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Figures of predictions and of projection maps of GloRe units."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    compare = commands.add_parser(
        "compare",
        help="predictions of models side by side (Figure 5)",
        description="Input, ground truth and predictions of models side by side; the regions that "
        "differ most are framed in yellow.",
        epilog="example: python tools/visualize.py compare --model fcn.py fcn.pth FCN "
        "--model glore.py glore.pth 'FCN + GloRe' --out compare.png",
    )
    compare.add_argument(
        "--model",
        nargs="+",
        action="append",
        required=True,
        metavar=("CONFIG", "CHECKPOINT"),
        help="config, checkpoint and optionally the title of the column; give two or more",
    )
    compare.add_argument(
        "--boxes", type=int, default=3, help="yellow boxes per image, at most (default: 3)"
    )
    compare.add_argument(
        "--candidates",
        type=int,
        metavar="M",
        help="without --images: select from M images, spaced evenly over the split (default: all)",
    )
    compare.add_argument(
        "--opacity", type=float, default=1.0, help="of label maps over the image (default: 1)"
    )
    projections = commands.add_parser(
        "projections",
        help="projection weights of a unit's nodes (Figure 7)",
        description="Projection weights of a GloRe unit over images, or over the frames of a clip "
        "if the config is for video. The hue is the sign, the brightness the magnitude.",
        epilog="example: python tools/visualize.py projections configs/fcn_r50_glore_cityscapes.py "
        "CHECKPOINT --images street.jpg --nodes 3 17 --out projections.png",
    )
    projections.add_argument("config", help="config file")
    projections.add_argument("checkpoint", help="checkpoint file")
    projections.add_argument(
        "--unit",
        help="name of the unit, such as decode_head.units.0 (default: the last; the error for an "
        "unknown name lists all)",
    )
    nodes = projections.add_mutually_exclusive_group()
    nodes.add_argument(
        "--nodes", type=int, nargs="+", default=[], metavar="I", help="nodes to draw"
    )
    nodes.add_argument(
        "--num-nodes", type=int, default=4, help="draw the most distinct nodes (default: 4)"
    )
    projections.add_argument(
        "--colors",
        choices=COLORS,
        default="red-green",
        help="positive and negative; orange-blue is safe for the color-blind (default: the "
        "paper's red-green)",
    )
    for command, what in ((compare, "those that differ most"), (projections, "spaced evenly")):
        command.add_argument("--out", required=True, type=Path, help="output file, such as a PNG")
        command.add_argument("--overwrite", action="store_true", help="replace the output file")
        command.add_argument(
            "--images",
            nargs="+",
            default=[],
            metavar="IMAGE",
            help="indices or (prefixes of) file names in the split, or files or folders; one video",
        )
        command.add_argument(
            "--num-images",
            type=int,
            help=f"without --images: how many, {what} (default: 3; 1 for video)",
        )
        command.add_argument("--split", choices=["train", "val", "test"], default="val")
        add_cfg_options(command)
    args = parser.parse_args(argv)
    if args.command == "compare" and (
        len(args.model) < 2 or any(len(model) not in (2, 3) for model in args.model)
    ):
        parser.error(
            f"--model is {args.model}; expected two or more times CONFIG CHECKPOINT [NAME]"
        )
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Draw one figure."""
    args = parse_args(argv)
    options = {
        "out_file": args.out,
        "split": args.split,
        "wanted": args.images,
        **({} if args.num_images is None else {"num_images": args.num_images}),
        "overwrite": args.overwrite,
    }
    if args.command == "compare":
        models = {}
        for config, checkpoint, *title in args.model:
            name = title[0] if title else Path(checkpoint).resolve().parent.name
            if name in models:
                raise ConfigError(
                    f"two models are named {name!r}; give names: --model CONFIG CHECKPOINT NAME"
                )
            models[name] = (load_config(config, cfg_options=args.cfg_options), checkpoint)
        compare_models(
            models,
            num_boxes=args.boxes,
            candidates=args.candidates,
            opacity=args.opacity,
            **options,
        )
    else:
        visualize_projections(
            load_config(args.config, cfg_options=args.cfg_options),
            args.checkpoint,
            unit=args.unit,
            nodes=args.nodes,
            num_nodes=args.num_nodes,
            colors=args.colors,
            **options,
        )
    print(f"wrote {args.out}")


if __name__ == "__main__":
    run_tool(main)
