"""Whether a measure grows: a robust line through its samples after the warm-up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import theilslopes

WARM_UP = 0.4
"""Share of a phase's time that is not analyzed."""

BOUNDS = {
    "memory": (8.0, 0.02),
    "malloc": (2.0, 0.01),
    "objects": (2.0, 0.01),
    "handles": (1.0, 0.0),
    "threads": (1.0, 0.0),
    "children": (1.0, 0.0),
}
"""How much a measure may grow after the warm-up: the greater of a value and a share."""


@dataclass(frozen=True)
class Trend:
    """A line through samples.

    Args:
        level: Median of the samples.
        growth: Growth of the line from the end of the warm-up to the last sample.
        low: Lower bound of the 95 % confidence interval of the growth.
        bound: The most that is allowed.
    """

    level: float
    growth: float
    low: float
    bound: float

    @property
    def grows(self) -> bool:
        """Whether the growth exceeds the bound and is significant."""
        return self.growth > self.bound and self.low > 0


def trend_of(measure: str, times: Sequence[float], values: Sequence[float]) -> Trend:
    """Fit a line to the samples after the warm-up (Theil-Sen: robust to outliers).

    Args:
        measure: A key of :data:`BOUNDS`.
        times: Times of the samples, in s, increasing.
        values: The samples.

    Raises:
        ValueError: There are fewer than ten samples after the warm-up.
    """
    first, last = times[0], times[-1]
    kept = [
        (time, value)
        for time, value in zip(times, values, strict=True)
        if time >= first + WARM_UP * (last - first)
    ]
    if len(kept) < 10:
        raise ValueError(f"{len(kept)} samples of {measure}; expected 10 or more: run longer")
    x, y = np.array(kept).T
    slope, _, low, _ = theilslopes(y, x)
    length = x[-1] - x[0]
    level = float(np.median(y))
    absolute, share = BOUNDS[measure]
    return Trend(level, slope * length, low * length, max(absolute, share * level))
