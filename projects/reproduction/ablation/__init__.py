"""What `projects/reproduction/ablation` does: rows of a table, each a config with several seeds."""

from projects.reproduction.ablation.costs import (
    Cost,
    count_rows,
    measure_costs,
    read_costs,
    write_costs,
)
from projects.reproduction.ablation.output import write_results
from projects.reproduction.ablation.plan import Row, Run, plan_rows, plan_runs
from projects.reproduction.ablation.results import Result, gather
from projects.reproduction.ablation.run import run_all
from projects.reproduction.ablation.statistics import Difference, paired_difference

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
