"""Table, JSON and image of an ablation."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prettytable import PrettyTable, TableStyle

from glore_seg.apis.complexity import Complexity
from glore_seg.utils.env_info import machine
from glore_seg.utils.files import atomic_write
from projects.reproduction.ablation.costs import Cost
from projects.reproduction.ablation.plot import plot_ablation
from projects.reproduction.ablation.results import Result
from projects.reproduction.ablation.statistics import mean_and_deviation, paired_difference

Results = Mapping[str, Sequence[Result]]
Counts = Mapping[str, Complexity]
FORMAT = 1


def write_results(
    out_dir: Path, results: Results, counts: Counts, costs: Mapping[str, Cost] | None = None
) -> list[Path]:
    """Write ``ablation.json``, ``ablation.md`` and ``ablation.png``, replacing what is there.

    Args:
        out_dir: Folder of the ablation.
        results: From :func:`gather`; the first row is what the others are compared with.
        counts: From :func:`count_rows`.
        costs: From :func:`measure_costs`; None leaves out the table of costs.

    Returns:
        The files.
    """
    files = [out_dir / f"ablation.{ending}" for ending in ("json", "md", "png")]
    text = json.dumps(_without_nan(_as_json(results, counts, costs)), indent=1, allow_nan=False)
    with atomic_write(files[0]) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    with atomic_write(files[1]) as temporary:
        temporary.write_text(as_markdown(results, counts, costs), encoding="utf-8")
    with atomic_write(files[2]) as temporary:
        plot_ablation(
            {row: [result.curve for result in found] for row, found in results.items()}, temporary
        )
    return files


def as_markdown(results: Results, counts: Counts, costs: Mapping[str, Cost] | None = None) -> str:
    """The tables: rows with spread, difference and size, classes, and costs where measured."""
    parts = [_score_table(results, counts, costs or {}), _class_table(results)]
    if costs:
        parts.append(_cost_table(results, costs))
    return "\n\n".join(parts) + "\n"


def _score_table(results: Results, counts: Counts, costs: Mapping[str, Cost]) -> str:
    reference = next(iter(results))
    table = _table(
        "row",
        "seeds",
        "mIoU %, last",
        "mIoU %, best",
        f"last less that of {reference} [95 % interval]",
        "training, min",
        "memory, MB",
        "parameters, M",
        "GMAC",
    )
    for row, found in results.items():
        minutes, _ = mean_and_deviation([result.minutes for result in found])
        table.add_row(
            [
                row,
                len(found),
                _spread([result.last for result in found]),
                _spread([result.best for result in found]),
                "-" if row == reference else _difference(found, results[reference]),
                f"{minutes:.1f}",
                _memory(found, costs.get(row)),
                f"{counts[row].params / 1e6:.3f}",
                f"{counts[row].macs / 1e9:.3f}",
            ]
        )
    return table.get_string()


def _class_table(results: Results) -> str:
    table = _table("IoU %, last", *results)
    classes = next(iter(results.values()))[0].class_iou
    for name in classes:
        values = ([result.class_iou[name] for result in found] for found in results.values())
        table.add_row([name, *(_spread(each) for each in values)])
    return table.get_string()


def _cost_table(results: Results, costs: Mapping[str, Cost]) -> str:
    table = _table("row", "step, ms", "step, CPU ms", "times the first", "memory, MB")
    for row in results:
        if row in costs:
            cost = costs[row]
            table.add_row(
                [
                    row,
                    f"{cost.step_ms:.0f}",
                    f"{cost.step_cpu_ms:.0f}",
                    f"{cost.times_first:.3f}",
                    f"{cost.memory_mb:.0f}",
                ]
            )
    return table.get_string()


def _memory(found: Sequence[Result], cost: Cost | None) -> str:
    """The trainings' peak, which mmengine logs on a GPU alone; else that of a measured step."""
    peak = _gpu_mb(found)
    if peak is not None:
        return f"{peak:.0f}"
    return f"{cost.memory_mb:.0f} (--costs)" if cost else "-"


def _gpu_mb(found: Sequence[Result]) -> float | None:
    return max((result.gpu_mb for result in found if result.gpu_mb is not None), default=None)


def _table(*columns: str) -> PrettyTable:
    table = PrettyTable(columns)
    table.set_style(TableStyle.MARKDOWN)
    table.align = "l"
    return table


def _spread(values: Sequence[float]) -> str:
    mean, deviation = mean_and_deviation(values)
    return f"{mean:.2f}" if deviation is None else f"{mean:.2f} ± {deviation:.2f}"


def _difference(found: Sequence[Result], reference: Sequence[Result]) -> str:
    difference = _last_difference(found, reference)
    if math.isnan(difference.mean):
        return "no common seed"
    if difference.margin is None:
        return f"{difference.mean:+.2f} (one seed)"
    low, high = (difference.mean + sign * difference.margin for sign in (-1, 1))
    return f"{difference.mean:+.2f} [{low:+.2f}, {high:+.2f}]"


def _last_difference(found: Sequence[Result], reference: Sequence[Result]) -> Any:
    one, other = ({result.seed: result.last for result in each} for each in (found, reference))
    return paired_difference(one, other)


def _as_json(results: Results, counts: Counts, costs: Mapping[str, Cost] | None) -> dict[str, Any]:
    reference = next(iter(results))
    rows = {}
    for row, found in results.items():
        difference = _last_difference(found, results[reference])
        rows[row] = {
            "runs": [asdict(result) for result in found],
            "last": mean_and_deviation([result.last for result in found]),
            "best": mean_and_deviation([result.best for result in found]),
            "difference": None if row == reference else asdict(difference),
            "gpu_mb": _gpu_mb(found),
            "params": counts[row].params,
            "macs": counts[row].macs,
        }
    return {
        "format": FORMAT,
        "machine": machine(),
        "reference": reference,
        "rows": rows,
        "costs": {row: asdict(cost) for row, cost in (costs or {}).items()},
    }


def _without_nan(node: Any) -> Any:
    """JSON has no nan, which is the IoU of a class that does not occur: null instead."""
    if isinstance(node, Mapping):
        return {key: _without_nan(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_without_nan(value) for value in node]
    return None if isinstance(node, float) and math.isnan(node) else node
