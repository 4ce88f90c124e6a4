"""Mean, spread, and whether a difference is more than chance."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import t


@dataclass(frozen=True)
class Difference:
    """A row's mean difference to another, over the seeds that both have.

    Args:
        mean: Mean of the differences; nan without a common seed.
        margin: Half the width of the 95 % confidence interval, from Student's t distribution;
            None below two common seeds, which have no spread.
        seeds: The common seeds.
    """

    mean: float
    margin: float | None
    seeds: tuple[int, ...]

    def beyond_chance(self) -> bool | None:
        """Whether the interval leaves zero out; None where there is no interval."""
        return None if self.margin is None else abs(self.mean) > self.margin


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (n - 1); nan without values, None below two of them."""
    if not values:
        return math.nan, None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def paired_difference(
    values: Mapping[int, float], reference: Mapping[int, float], *, confidence: float = 0.95
) -> Difference:
    """Compare two rows seed by seed: one seed draws the same crops in the same order for both.

    Args:
        values: Score by seed.
        reference: The other row's.
        confidence: Of the interval, between 0 and 1.

    Returns:
        ``values`` minus ``reference``.
    """
    seeds = tuple(sorted(values.keys() & reference.keys()))
    mean, deviation = mean_and_deviation([values[seed] - reference[seed] for seed in seeds])
    if deviation is None:
        return Difference(mean, None, seeds)
    quantile = float(t.ppf((1 + confidence) / 2, len(seeds) - 1))
    return Difference(mean, quantile * deviation / math.sqrt(len(seeds)), seeds)
