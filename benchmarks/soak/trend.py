"""Whether a measure grows: a robust line through its samples, warm-up left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import theilslopes

WARM_UP = 0.4
"""Share of a phase's time that is left out."""

BOUNDS = {
    "memory": (8.0, 0.02),
    "malloc": (2.0, 0.01),
    "objects": (2.0, 0.01),
    "handles": (1.0, 0.0),
    "threads": (1.0, 0.0),
    "children": (1.0, 0.0),
}
"""How much a measure may grow in the time that is looked at: so much, or so large a share."""


@dataclass(frozen=True)
class Trend:
    """A line through samples.

    Args:
        level: Median of the samples.
        growth: Of the line, from the end of the warm-up to the last sample.
        low: The least growth that the scatter of the samples allows (95 %).
        bound: The most that it may be.
    """

    level: float
    growth: float
    low: float
    bound: float

    @property
    def grows(self) -> bool:
        """Whether it grows by more than it may, and not by scatter alone."""
        return self.growth > self.bound and self.low > 0


def trend_of(measure: str, times: Sequence[float], values: Sequence[float]) -> Trend:
    """Fit a line to the samples behind the warm-up (Theil and Sen: outliers don't count).

    Args:
        measure: A key of :data:`BOUNDS`.
        times: Of the samples, in s, rising.
        values: As many.

    Raises:
        ValueError: There are fewer than ten samples behind the warm-up.
    """
    first, last = times[0], times[-1]
    kept = [
        (time, value)
        for time, value in zip(times, values, strict=True)
        if time >= first + WARM_UP * (last - first)
    ]
    if len(kept) < 10:
        raise ValueError(
            f"{len(kept)} samples of {measure}; expected 10 or more: let it run longer"
        )
    x, y = np.array(kept).T
    slope, _, low, _ = theilslopes(y, x)
    length = x[-1] - x[0]
    level = float(np.median(y))
    absolute, share = BOUNDS[measure]
    return Trend(level, slope * length, low * length, max(absolute, share * level))
