"""Count the classes of a dataset: `python tools/analysis/class_balance.py CONFIG`."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  patches OpenMMLab, so it comes first
from glore_seg.apis import load_config
from glore_seg.apis.splits import build_image_dataset
from glore_seg.apis.visualize import check_figure
from glore_seg.cli import add_cfg_options, run_tool
from glore_seg.datasets.label_statistics import count_labels, find_problems
from glore_seg.errors import ConfigError
from glore_seg.evaluation.class_balance import ClassBalance
from glore_seg.utils.files import atomic_write, check_free
from glore_seg.visualization.classes import plot_class_balance


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Count pixels and images of each class, and print median frequency weights "
        "for a loss.",
        epilog="example: python tools/analysis/class_balance.py "
        "configs/fcn_r18_glore_street-scenes.py --plot balance.png",
    )
    parser.add_argument("config", help="config file")
    parser.add_argument("--split", choices=["train", "val"], default="train")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="plot them here")
    parser.add_argument("--overwrite", action="store_true", help="replace both files")
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> ClassBalance:
    """Count, print, write and plot."""
    args = parse_args(argv)
    if args.json:
        check_free(args.json, overwrite=args.overwrite)
    if args.plot:
        check_figure(args.plot, overwrite=args.overwrite)
    cfg = load_config(args.config, cfg_options=args.cfg_options)
    dataset = build_image_dataset(cfg, args.split)
    found = count_labels(dataset, dataset.metainfo["classes"], sample=None)
    if found is None:
        raise ConfigError(
            "the split has no labels; expected a test or val pipeline with LoadAnnotations or "
            "LoadCheckedAnnotations: give another --split, or set the pipeline in the config"
        )
    balance = found.balance
    useless, warnings = find_problems(found, args.split)
    print("\n".join([balance.table(), *([useless] if useless else warnings)]))
    if args.json:
        with atomic_write(args.json) as temporary:
            temporary.write_text(json.dumps(balance.as_dict(), indent=1) + "\n")
    if args.plot:
        with atomic_write(args.plot) as temporary:
            plot_class_balance(balance).savefig(temporary, dpi=110)
    return balance


if __name__ == "__main__":
    run_tool(main)
