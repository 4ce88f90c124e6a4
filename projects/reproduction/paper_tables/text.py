"""Counted rows for people and for machines."""

from collections.abc import Iterable
from typing import Any

from prettytable import PrettyTable, TableStyle

from projects.reproduction.paper_tables.counting import CountedRow

_COLUMNS = (
    "network",
    "P, M",
    "P + run, M",
    "paper, M",
    "off by, M",
    "GMAC",
    "paper, G",
    "off by, G",
    "paper, top-1 %",
)


def as_text(rows: Iterable[CountedRow]) -> str:
    """Lay rows out as Markdown, a table for each title.

    ``P`` are trainable parameters and ``P + run`` those with running statistics; what is off by
    something is not what the paper prints, to its digits.
    """
    tables: dict[str, PrettyTable] = {}
    for counted in rows:
        row = counted.row
        if row.table not in tables:
            tables[row.table] = PrettyTable(_COLUMNS)
            tables[row.table].set_style(TableStyle.MARKDOWN)
            tables[row.table].align = "r"
            tables[row.table].align["network"] = "l"
        tables[row.table].add_row(
            [
                row.network,
                f"{counted.params / 1e6:.3f}",
                f"{counted.params_with_stats / 1e6:.3f}",
                _printed(row.paper_params, 1e6),
                _off(counted.params_difference, 1e6),
                f"{counted.macs / 1e9:.3f}",
                _printed(row.paper_macs, 1e9),
                _off(counted.macs_difference, 1e9),
                "" if row.paper_top1 is None else f"{row.paper_top1:.4g}",
            ]
        )
    return "\n\n".join(f"{title}\n\n{table.get_string()}" for title, table in tables.items())


def as_records(rows: Iterable[CountedRow]) -> list[dict[str, Any]]:
    """Rows for JSON, in single parameters and MACs."""
    return [
        {
            "table": counted.row.table,
            "network": counted.row.network,
            "params": counted.params,
            "params_with_stats": counted.params_with_stats,
            "macs": counted.macs,
            "paper_params": counted.row.paper_params,
            "paper_macs": counted.row.paper_macs,
        }
        for counted in rows
    ]


def _printed(value: float | None, unit: float) -> str:
    return "" if value is None else f"{value / unit:.1f}"


def _off(difference: float, unit: float) -> str:
    return f"{difference / unit:+.3f}" if difference else ""
