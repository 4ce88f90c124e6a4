"""Count all configs and make their table: `python -m projects.reproduction.model_index_command`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import glore_seg  # noqa: F401  mends the host, so before anything of OpenMMLab's
from glore_seg.cli import run_tool
from projects.reproduction.model_index import (
    config_table,
    read_model_index,
    unlisted_configs,
    update_counts,
    write_metafiles,
)

ROOT = Path(__file__).parents[2]


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Count parameters and MACs of every config of model-index.yml, set "
        "them in the metafiles, and write the table in configs/README.md.",
        epilog="example: python -m projects.reproduction.model_index_command --check",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 where something is stale"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Update or check; 1 where a check found something."""
    args = parse_args(argv)
    models = read_model_index(ROOT)
    stale = [f"{config} is in no metafile" for config in unlisted_configs(ROOT, models)]
    stale += update_counts(ROOT, models)
    table = config_table(ROOT, models)
    readme = ROOT / "configs" / "README.md"
    if not readme.is_file() or readme.read_text() != table:
        stale.append("configs/README.md is another than the metafiles make")
    print("\n".join([*stale, f"{len(models)} configs counted"]))
    if args.check:
        return 1 if stale else 0
    write_metafiles(models)
    readme.write_text(table)
    unlisted = unlisted_configs(ROOT, models)
    if unlisted:
        print(f"error: list {', '.join(unlisted)} in a metafile", file=sys.stderr)
    return 2 if unlisted else 0


if __name__ == "__main__":
    run_tool(main)
