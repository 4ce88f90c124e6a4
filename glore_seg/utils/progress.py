"""A progress bar for loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def track(
    items: Iterable[Item], total: int | None, description: str, *, show: bool = True
) -> Iterator[Item]:
    """Yield items under a bar with the count and the time left; ``total`` None is unknown."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, disable=not show) as progress:
        yield from progress.track(items, total=total, description=description)
