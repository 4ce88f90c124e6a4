"""Make a packed copy of a dataset, from which training reads crops without decoding images.

Example:
    python tools/dataset_converters/pack.py data/cityscapes data/cityscapes_pack --nproc 8

Training reads it with `--cfg-options train_dataloader.dataset.pack=data/cityscapes_pack`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glore_seg.cli import run_tool
from glore_seg.datasets.packed import pack_dataset, verify_pack


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_root", help="folder with leftImg8bit and gtFine")
    parser.add_argument("pack", help="folder to write to: new, empty or a pack")
    parser.add_argument(
        "--splits", nargs="+", default=["train"], metavar="SPLIT", help="default: train"
    )
    for option, default, what in (
        ("--img-suffix", "_leftImg8bit.png", "images"),
        ("--seg-map-suffix", "_gtFine_labelTrainIds.png", "labels"),
    ):
        parser.add_argument(
            option,
            default=default,
            metavar="SUFFIX",
            help=f"how names of {what} end, as in the dataset's config (default: {default})",
        )
    parser.add_argument(
        "--num-classes", type=int, default=19, help="classes in the stored labels (default: 19)"
    )
    parser.add_argument("--nproc", type=int, default=1, help="processes at work (default: 1)")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="then read the whole pack and compare its checksums",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Pack, and verify where asked; return 0 where all is well."""
    args = parse_args(argv)
    made, kept = pack_dataset(
        args.data_root,
        args.pack,
        splits=args.splits,
        img_suffix=args.img_suffix,
        seg_map_suffix=args.seg_map_suffix,
        num_classes=args.num_classes,
        num_workers=args.nproc,
        progress=not args.quiet,
    )
    problems = verify_pack(args.pack, progress=not args.quiet) if args.verify else []
    print(f"{args.pack}: {made} images packed, {kept} were there")
    for problem in problems:
        print(f"- {problem}")
    if args.verify and not problems:
        print("verified")
    return 1 if problems else 0


if __name__ == "__main__":
    run_tool(main, resumable=True)
