"""Images of one size together, results in the order given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_LOOK_AHEAD = 4  # batches that wait for their like


def in_batches(
    items: Iterable[Item],
    run: Callable[[list[Item]], list[Result]],
    *,
    key: Callable[[Item], Hashable],
    batch_size: int,
) -> Iterator[Result]:
    """Run items of one key together, and give one result an item in the order of the items.

    At most ``4 * batch_size`` items wait for others of their key.

    Args:
        items: What to run.
        run: From some items of one key to as many results.
        key: What items of a batch have in common.
        batch_size: Items in a batch at most, at least 1.

    Yields:
        The results.
    """
    waiting: list[tuple[int, Item]] = []
    done: dict[int, Result] = {}
    number, given = 0, 0
    room = 1 if batch_size == 1 else _LOOK_AHEAD * batch_size
    source = iter(items)
    exhausted = False
    while not exhausted or waiting:
        while not exhausted and len(waiting) < room:
            try:
                waiting.append((number, next(source)))
                number += 1
            except StopIteration:
                exhausted = True
        if not waiting:
            break
        wanted = key(waiting[0][1])
        batch = [entry for entry in waiting if key(entry[1]) == wanted][:batch_size]
        taken = {index for index, _ in batch}
        waiting = [entry for entry in waiting if entry[0] not in taken]
        results = run([item for _, item in batch])
        done.update(zip([index for index, _ in batch], results, strict=True))
        while given in done:
            yield done.pop(given)
            given += 1
