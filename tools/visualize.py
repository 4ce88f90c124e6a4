"""Figures 5 and 7 of the paper: `visualize.py compare` and `visualize.py projections`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  mends the host, so before anything of OpenMMLab's
from glore_seg.apis import load_config
from glore_seg.apis.tasks import task_of
from glore_seg.apis.visualize import compare_models, compare_projections, visualize_projections
from glore_seg.apis.visualize_clips import visualize_clip_projections
from glore_seg.cli import add_cfg_options, run_tool
from glore_seg.visualization.projections import COLORS


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Images of what models predict and of what GloRe units look at."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    compare = commands.add_parser(
        "compare",
        help="models side by side (Figure 5)",
        description="Input, ground truth and the predictions of models side by side; the regions "
        "that differ most are framed in yellow.",
        epilog="example: python tools/visualize.py compare --model fcn.py fcn.pth FCN "
        "--model glore.py glore.pth 'FCN + GloRe' --out compare.png",
    )
    compare.add_argument(
        "--model",
        nargs="+",
        action="append",
        required=True,
        metavar=("CONFIG", "CHECKPOINT"),
        help="config, checkpoint and, as a third word, the name to print; give two or more",
    )
    compare.add_argument(
        "--boxes", type=int, default=3, help="yellow boxes an image, at most (default: 3)"
    )
    compare.add_argument(
        "--among",
        type=int,
        metavar="M",
        help="without --images: choose among M images, spread evenly over the split "
        "(default: all of it)",
    )
    compare.add_argument(
        "--opacity", type=float, default=1.0, help="of label maps over the image (default: 1)"
    )
    projections = commands.add_parser(
        "projections",
        help="projection weights of a unit's nodes (Figure 7)",
        description="The projection weights of a GloRe unit over images, or over the frames of "
        "a clip where the config is for video: hue is the sign, brightness the magnitude.",
        epilog="example: python tools/visualize.py projections configs/fcn_r50_glore_cityscapes.py "
        "CHECKPOINT --images street.jpg --nodes 3 17 --out projections.png",
    )
    projections.add_argument("config", help="config file")
    projections.add_argument("checkpoint", help="checkpoint file")
    projections.add_argument(
        "--unit",
        help="its name, such as decode_head.units.0 (default: the last; a wrong name "
        "lists them all)",
    )
    nodes = projections.add_mutually_exclusive_group()
    nodes.add_argument("--nodes", type=int, nargs="+", metavar="I", help="nodes to show")
    nodes.add_argument(
        "--num-nodes", type=int, default=4, help="pick this many distinct nodes (default: 4)"
    )
    projections.add_argument(
        "--colors",
        choices=COLORS,
        default="red-green",
        help="positive and negative; orange-blue can be told apart by the color-blind "
        "(default: the paper's red-green)",
    )
    projections.add_argument(
        "--statistics",
        type=int,
        metavar="M",
        help="print how the maps of M images of the split resemble each other and the mirrored",
    )
    for command, what in ((compare, "those that differ most"), (projections, "spread evenly")):
        command.add_argument("--out", required=True, type=Path, help="PNG file to write")
        command.add_argument("--overwrite", action="store_true", help="replace --out")
        command.add_argument(
            "--images",
            nargs="+",
            metavar="IMAGE",
            help="indices or (beginnings of) file names in the split, or files or folders; "
            "of videos one",
        )
        command.add_argument(
            "--number",
            type=int,
            help=f"without --images: how many, {what} (default: 3; of videos one)",
        )
        command.add_argument("--split", choices=["train", "val", "test"], default="val")
        add_cfg_options(command)
    args = parser.parse_args(argv)
    if args.command == "compare" and (
        len(args.model) < 2 or any(len(model) not in (2, 3) for model in args.model)
    ):
        parser.error(
            "compare needs two or more --model CONFIG CHECKPOINT [NAME], with two or three words "
            f"each, got {args.model}"
        )
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Draw one figure."""
    args = parse_args(argv)
    options = {
        "out_file": args.out,
        "split": args.split,
        "wanted": args.images,
        **({} if args.number is None else {"number": args.number}),
        "overwrite": args.overwrite,
    }
    if args.command == "compare":
        models = [(load_config(m[0], cfg_options=args.cfg_options), *m[1:]) for m in args.model]
        compare_models(
            models, num_boxes=args.boxes, among=args.among, opacity=args.opacity, **options
        )
    else:
        cfg = load_config(args.config, cfg_options=args.cfg_options)
        if args.statistics is not None:
            where = {"split": args.split, "number": args.statistics, "unit": args.unit}
            print(compare_projections(cfg, args.checkpoint, **where))
        video = task_of(cfg).name == "video"
        (visualize_clip_projections if video else visualize_projections)(
            cfg,
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
