"""Draw a small dataset of street scenes in the layout of Cityscapes.

Example:
    python -m projects.synthetic_data.street_scenes data/street_scenes --num-train 240
"""

from collections.abc import Sequence

from glore_seg.cli import run_tool
from projects.synthetic_data.output_folder import dataset_parser
from projects.synthetic_data.street_scenes import make_street_scenes


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the scenes."""
    args = dataset_parser(make_street_scenes, __doc__).parse_args(argv)
    root = make_street_scenes(**vars(args))
    print(f"{root}: {args.num_train} train, {args.num_val} val, {args.num_test} test")


if __name__ == "__main__":
    run_tool(main, resumable=True)
