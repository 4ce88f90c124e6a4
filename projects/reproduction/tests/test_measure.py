"""Ways take turns, and memory is counted once."""

import torch

from projects.reproduction import measure


def test_ways_take_turns_and_reverse():
    calls = []
    ways = {name: lambda name=name: calls.append(name) for name in "ab"}
    timings = measure.side_by_side(ways, rounds=4, warmup=1)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab" + "ba"
    assert {name: len(timing.wall) for name, timing in timings.items()} == {"a": 4, "b": 4}


def test_side_by_side_stops_after_the_third_round():
    timings = measure.side_by_side({"a": lambda: None}, rounds=99, max_seconds=1e-9)
    assert len(timings["a"].wall) == 3


def test_times_faster_is_the_median_of_the_rounds_ratios():
    ours, theirs = measure.Timing((1.0, 2.0, 4.0), ()), measure.Timing((3.0, 4.0, 40.0), ())
    assert ours.times_faster_than(theirs) == 3.0
    assert ours.milliseconds == 2000.0


def test_saved_bytes_counts_a_storage_once():
    x = torch.randn(10, requires_grad=True)
    y = torch.randn(10, requires_grad=True)
    # x * y keeps both, (x * y) * x keeps the product and x: three storages of 40 bytes.
    assert measure.saved_bytes(lambda: x * y * x) == 120
    assert measure.saved_bytes(lambda: x * y * x, beyond=[x, y]) == 40
