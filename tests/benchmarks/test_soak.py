"""Growth differs from scatter, and a phase runs in a subprocess."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.soak import __main__ as command
from benchmarks.soak.phase import Course
from benchmarks.soak.trend import BOUNDS, trend_of
from benchmarks.soak.usage import in_use, usage_of

TIMES = np.arange(200.0)


def scatter(seed=0):
    return np.random.default_rng(seed).normal(0, 3, 200)


def test_a_leak_differs_from_scatter_and_warm_up():
    flat = trend_of("memory", TIMES, 500 + scatter())
    assert not flat.grows
    assert abs(flat.growth) < 2
    warm = np.minimum(TIMES, 60) * 5
    assert not trend_of("memory", TIMES, 500 + warm + scatter()).grows
    leak = trend_of("memory", TIMES, 500 + 0.2 * TIMES + scatter())
    assert leak.grows
    assert leak.growth == pytest.approx(0.2 * 119, rel=0.1)
    assert leak.low > 15
    spikes = 500 + 200.0 * (TIMES % 7 == 0)
    assert trend_of("memory", TIMES, spikes).growth == 0


def test_one_handle_more_each_minute_is_found():
    assert trend_of("handles", TIMES, 10 + TIMES // 60).grows
    assert not trend_of("handles", TIMES, 10 + TIMES % 2).grows
    with pytest.raises(ValueError, match="6 samples of handles; expected 10"):
        trend_of("handles", TIMES[:10], TIMES[:10])


def test_usage_counts_memory_handles_threads_and_children():
    code = """
import os, subprocess, sys, threading
print(flush=True), input()
kept = bytearray(os.urandom(20_000_000))
threading.Thread(target=threading.Event().wait, daemon=True).start()
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
file = open(os.devnull)
print(flush=True), input()
child.communicate(b"\\n")
"""
    used = []
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as process:
        for _ in range(2):
            process.stdout.readline()
            used.append(usage_of(process.pid))
            process.stdin.write("\n")
            process.stdin.flush()
    more = {key: used[1][key] - used[0][key] for key in used[0]}
    assert more["memory"] > 18
    assert (more["handles"], more["threads"], more["children"]) == (2, 1, 1)


def test_in_use_counts_what_was_not_given_back():
    before = in_use()["malloc"]
    kept = np.ones(1_000_000)
    assert in_use()["malloc"] - before == pytest.approx(8, abs=0.5)
    del kept
    assert in_use()["malloc"] - before == pytest.approx(0, abs=0.5)


def fake(names, seconds):
    """As a run, with a page that leaks handles."""
    courses = []
    for name in names:
        values = {measure: [50.0] * 60 for measure in BOUNDS}
        if name == "page":
            values["handles"] = [float(n) for n in range(60)]
        courses.append(Course(name, [float(n) for n in range(60)], [*range(60)], values))
    return courses


def test_table_image_and_exit_code(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "run", fake)
    out, plot = tmp_path / "soak.json", tmp_path / "soak.png"
    assert command.main(["--json", str(out), "--plot", str(plot)]) == 1
    said = capsys.readouterr().out
    assert "page: handles grows by 35.0, more than 1.0" in said
    assert "| page | 1.00 | 59 | 50.0 (+0.0) |" in said
    assert "42 (+35.0)" in said
    assert json.loads(out.read_text())["trends"]["page"]["handles"]["growth"] == 35
    assert plot.stat().st_size > 10_000
    assert command.main(["--what", "training"]) == 0
    assert "nothing grows beyond its bound" in capsys.readouterr().out


@pytest.mark.slow
def test_a_phase(monkeypatch, capsys):
    """Too short for a trend: it runs."""
    monkeypatch.setattr(
        command,
        "trend_of",
        lambda measure, times, values: trend_of(measure, TIMES, np.resize(values, len(TIMES))),
    )
    assert command.main(["--what", "submission", "--minutes", "0.01"]) in (0, 1)
    assert "submission: 1 rounds; memory" in capsys.readouterr().out
