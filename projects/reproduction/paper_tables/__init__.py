"""What the paper's tables say of each network's cost, beside what its network here costs.

A further table is a file of :class:`Row` objects and its line in ``TABLES``.
"""

from projects.reproduction.paper_tables import figure_4, table_1, table_2, table_5
from projects.reproduction.paper_tables.counting import CountedRow, count_rows
from projects.reproduction.paper_tables.row import Row
from projects.reproduction.paper_tables.text import as_records, as_text

# Name on the command line to rows.
TABLES: dict[str, tuple[Row, ...]] = {
    "table1": table_1.ROWS,
    "table2": table_2.ROWS,
    "figure4": figure_4.ROWS,
    "table5": table_5.ROWS,
}

__all__ = ["TABLES", "CountedRow", "Row", "as_records", "as_text", "count_rows"]
