"""What `tools/analysis/ablation.py` does: rows of a table, each a config with several seeds."""

from glore_seg.engine.ablation.costs import Cost, measure_costs, read_costs, write_costs
from glore_seg.engine.ablation.counts import count_rows
from glore_seg.engine.ablation.gathering import Result, gather
from glore_seg.engine.ablation.plan import Row, Run, plan_rows, plan_runs
from glore_seg.engine.ablation.running import run_all
from glore_seg.engine.ablation.statistics import Difference, paired_difference
from glore_seg.engine.ablation.writing import write_results

__all__ = [
    "Cost",
    "Difference",
    "Result",
    "Row",
    "Run",
    "count_rows",
    "gather",
    "measure_costs",
    "paired_difference",
    "plan_rows",
    "plan_runs",
    "read_costs",
    "run_all",
    "write_costs",
    "write_results",
]
