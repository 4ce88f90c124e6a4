"""Mean, spread and interval against tables and SciPy's own test."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_rel

from projects.reproduction.ablation.statistics import mean_and_deviation, paired_difference


def test_mean_and_sample_deviation():
    assert mean_and_deviation([1.0, 3.0]) == (2.0, pytest.approx(math.sqrt(2)))
    assert mean_and_deviation([5.0]) == (5.0, None)
    mean, deviation = mean_and_deviation([])
    assert math.isnan(mean)
    assert deviation is None


def test_interval_of_two_and_three_seeds_by_the_t_table():
    # 12.706 and 4.303: two-sided 95 % quantiles at one and two degrees of freedom.
    two = paired_difference({0: 42.0, 1: 44.0}, {0: 41.0, 1: 41.0})
    assert (two.mean, two.seeds) == (2.0, (0, 1))
    assert two.margin == pytest.approx(12.706 * math.sqrt(2) / math.sqrt(2), abs=1e-3)
    assert two.beyond_chance() is False
    three = paired_difference({0: 1.0, 1: 2.0, 2: 3.0}, {0: 0.0, 1: 0.0, 2: 0.0})
    assert three.margin == pytest.approx(4.303 / math.sqrt(3), abs=1e-3)


def test_interval_agrees_with_the_paired_t_test():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(1, 1, 8), rng.normal(0, 1, 8)
    difference = paired_difference(dict(enumerate(ours)), dict(enumerate(theirs)))
    interval = ttest_rel(ours, theirs).confidence_interval()
    assert difference.mean - difference.margin == pytest.approx(interval.low)
    assert difference.mean + difference.margin == pytest.approx(interval.high)


def test_what_all_seeds_share_cancels():
    """Seeds that differ by ten leave no margin where the difference is the same."""
    difference = paired_difference({0: 31.0, 1: 41.0}, {0: 30.0, 1: 40.0})
    assert (difference.mean, difference.margin) == (1.0, 0.0)
    assert difference.beyond_chance() is True


def test_only_common_seeds_count():
    one = paired_difference({0: 5.0, 2: 9.0}, {0: 4.0, 1: 0.0})
    assert (one.mean, one.margin, one.seeds) == (1.0, None, (0,))
    assert one.beyond_chance() is None
    assert math.isnan(paired_difference({0: 5.0}, {1: 4.0}).mean)
