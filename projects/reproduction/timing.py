"""What a piece of work costs: ways timed side by side, and what is kept for the backward pass."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor


@dataclass(frozen=True)
class Timing:
    """Seconds of one way in every round, on the clock and in CPU time of this process."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def milliseconds(self) -> float:
        """Median on the clock."""
        return 1e3 * median(self.wall)

    @property
    def cpu_milliseconds(self) -> float:
        """Median in CPU time."""
        return 1e3 * median(self.cpu)

    def times_faster_than(self, other: "Timing", *, clock: str = "wall") -> float:
        """Median over the rounds of the other's time divided by this one's."""
        own, others = getattr(self, clock), getattr(other, clock)
        return median(b / a for a, b in zip(own, others, strict=True))


def side_by_side(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int = 15,
    warmup: int = 2,
    max_seconds: float | None = None,
) -> dict[str, Timing]:
    """Time several ways in turns, so that whatever else the machine does meets all of them.

    Every other round runs them in reverse, so that none is always the one after another.

    Args:
        ways: What to time, by name.
        rounds: How often each is timed.
        warmup: How often each is run before.
        max_seconds: Stop after the round that passes this, but not before the third.
    """
    for _ in range(warmup):
        for way in ways.values():
            way()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    begin = time.perf_counter()
    for count in range(rounds):
        for name in ways if count % 2 == 0 else reversed(list(ways)):
            seconds[name].append(_time(ways[name]))
        if max_seconds and count >= 2 and time.perf_counter() - begin > max_seconds:
            break
    return {
        name: Timing(tuple(wall for wall, _ in each), tuple(cpu for _, cpu in each))
        for name, each in seconds.items()
    }


def _time(way: Callable[[], object]) -> tuple[float, float]:
    _wait()
    wall, cpu = time.perf_counter(), time.process_time()
    result = way()
    _wait()
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    del result  # giving memory back is not what is timed
    return seconds


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def saved_bytes(forward: Callable[[], object], *, beyond: Sequence[Tensor] = ()) -> int:
    """Bytes that autograd keeps for the backward pass, every storage counted once.

    Args:
        forward: Runs the forward pass.
        beyond: Tensors that are there anyway, such as the input and the parameters.
    """
    known = {tensor.untyped_storage().data_ptr() for tensor in beyond}
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    total = sum(t.untyped_storage().nbytes() for key, t in kept.items() if key not in known)
    del result
    return total
