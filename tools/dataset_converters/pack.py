"""Pack a dataset, so that training reads crops without decoding images.

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
    parser.add_argument("pack", help="folder to write to")
    parser.add_argument(
        "--splits", nargs="+", default=["train"], metavar="SPLIT", help="default: train"
    )
    for option, default, what in (
        ("--img-suffix", "_leftImg8bit.png", "image files"),
        ("--seg-map-suffix", "_gtFine_labelTrainIds.png", "label maps"),
    ):
        parser.add_argument(
            option,
            default=default,
            metavar="SUFFIX",
            help=f"suffix of {what}, as in the config (default: {default})",
        )
    parser.add_argument(
        "--num-classes", type=int, default=19, help="number of stored classes (default: 19)"
    )
    parser.add_argument("--nproc", type=int, default=1, help="number of processes (default: 1)")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="then read everything and compare checksums",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Pack, and verify if requested; return 0 without problems."""
    args = parse_args(argv)
    packed, kept = pack_dataset(
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
    print(f"{args.pack}: {packed} images packed, {kept} kept")
    for problem in problems:
        print(f"- {problem}")
    if args.verify and not problems:
        print("verified")
    return 1 if problems else 0


if __name__ == "__main__":
    run_tool(main, resumable=True)
