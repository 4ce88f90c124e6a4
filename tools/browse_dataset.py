"""Draw what training sees: `python tools/browse_dataset.py CONFIG --out-dir images`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  patches OpenMMLab, so it comes first
from glore_seg.apis import load_config
from glore_seg.apis.tasks import require_segmentation
from glore_seg.cli import add_cfg_options, run_tool
from glore_seg.engine import build_dataset
from glore_seg.visualization import browse


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Draw images and label maps of a dataset after its pipeline.",
        epilog="example: python tools/browse_dataset.py configs/fcn_r50_glore_cityscapes.py "
        "--out-dir images --num-images 20",
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("--out-dir", required=True, type=Path, help="folder for the images")
    parser.add_argument("--split", choices=["train", "val", "test"], default="train")
    parser.add_argument("--num-images", type=int, default=10, help="default: 10")
    parser.add_argument("--seed", type=int, default=0, help="of the random transforms (default: 0)")
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the first images of a split."""
    args = parse_args(argv)
    cfg = load_config(args.config, cfg_options=args.cfg_options)
    require_segmentation(cfg, "browse_dataset.py")
    dataset = build_dataset(cfg, args.split)
    files = browse(dataset, args.out_dir, number=args.num_images, seed=args.seed)
    print(f"wrote {len(files)} images to {args.out_dir}")


if __name__ == "__main__":
    run_tool(main)
