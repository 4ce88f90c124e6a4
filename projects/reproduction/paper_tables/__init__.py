"""The paper's networks counted, beside what it prints."""

from projects.reproduction.paper_tables.counting import (
    CountedRow,
    as_records,
    as_text,
    count_rows,
    points,
)
from projects.reproduction.paper_tables.rows import TABLES, Row

__all__ = ["TABLES", "CountedRow", "Row", "as_records", "as_text", "count_rows", "points"]
