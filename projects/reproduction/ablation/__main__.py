"""Train rows of a table with several seeds each, and compare them.

The first config is the row that the others are compared with, seed by seed.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from glore_seg.cli import add_cfg_options, run_tool
from projects.reproduction.ablation.costs import count_rows, measure_costs, read_costs, write_costs
from projects.reproduction.ablation.plan import plan_rows, plan_runs
from projects.reproduction.ablation.results import gather, write_results
from projects.reproduction.ablation.run import run_all

TRAIN_TOOL = Path(__file__).parents[3] / "tools" / "train.py"


def main(argv: Sequence[str] | None = None) -> None:
    """Train what is missing, gather, and write."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.reproduction.ablation",
        description="Train each config with each seed, one process a run, and write a table with "
        "mean, standard deviation and the paired difference to the first config with its 95 % "
        "confidence interval, training time, memory on a GPU, parameters and MACs, JSON, "
        "and an image. Finished runs are kept, half ones go on.",
        epilog="example: %(prog)s "
        "configs/camvid/fcn_r18_multigrid_camvid.py configs/fcn_r18_glore_camvid.py "
        "--seeds 0 1 2 --amp --channels-last --out work_dirs/ablation",
    )
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="config files, one a row")
    numbers = {"type": int, "nargs": "+"}
    text = "all rows with the first before any with the second (default: 0 1 2)"
    parser.add_argument("--seeds", **numbers, default=[0, 1, 2], metavar="SEED", help=text)
    text = "folder of all runs and results (default: %(default)s)"
    parser.add_argument("--out", type=Path, default=Path("work_dirs/ablation"), help=text)
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (default: 1)")
    text = "one run at a time on each of these, counted from 0 as torch finds them"
    parser.add_argument("--gpus", **numbers, metavar="GPU", help=text)
    parser.add_argument("--amp", action="store_true", help="as in tools/train.py")
    parser.add_argument("--channels-last", action="store_true", help="as in tools/train.py")
    what = parser.add_mutually_exclusive_group()
    text = "train nothing; compare what is finished"
    what.add_argument("--gather-only", action="store_true", help=text)
    text = "train nothing; measure time and memory of a step of all rows in turns, for the tables"
    what.add_argument("--costs", action="store_true", help=text)
    parser.add_argument("--device", default="cpu", help="where --costs runs (default: cpu)")
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    speed = {"amp": args.amp, "channels_last": args.channels_last}
    rows = plan_rows(args.configs, args.out, cfg_options=args.cfg_options, **speed)
    runs = plan_runs(rows, args.seeds)
    if args.costs:
        costs = measure_costs(rows, device=args.device)
        print(f"{write_costs(args.out, costs, device=args.device)} has the costs")
        return
    counts = count_rows(rows)  # before the training, for what it may refuse
    if not args.gather_only:
        run_all(runs, TRAIN_TOOL, jobs=args.jobs, gpus=args.gpus)
    files = write_results(args.out, gather(rows, args.seeds), counts, read_costs(args.out))
    print(f"{files[1].read_text()}\n{', '.join(map(str, files))} written")


if __name__ == "__main__":
    run_tool(main, resumable=True)
