"""The benchmarks' helpers: what is measured is what was meant."""

import json

import torch

from benchmarks import common


def test_ways_take_turns_and_reverse():
    calls = []
    ways = {name: lambda name=name: calls.append(name) for name in "ab"}
    timings = common.side_by_side(ways, rounds=4, warmup=1)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab" + "ba"
    assert {name: len(timing.wall) for name, timing in timings.items()} == {"a": 4, "b": 4}


def test_side_by_side_stops_after_the_third_round():
    timings = common.side_by_side({"a": lambda: None}, rounds=99, max_seconds=1e-9)
    assert len(timings["a"].wall) == 3


def test_times_faster_is_the_median_of_the_rounds_ratios():
    ours, theirs = common.Timing((1.0, 2.0, 4.0), ()), common.Timing((3.0, 4.0, 40.0), ())
    assert ours.times_faster_than(theirs) == 3.0
    assert ours.milliseconds == 2000.0


def test_saved_bytes_counts_a_storage_once():
    x = torch.randn(10, requires_grad=True)
    y = torch.randn(10, requires_grad=True)
    # x * y keeps both, (x * y) * x keeps the product and x: three storages of 40 bytes.
    assert common.saved_bytes(lambda: x * y * x) == 120
    assert common.saved_bytes(lambda: x * y * x, beyond=[x, y]) == 40


def test_tables_and_json(tmp_path, capsys):
    parser = common.make_parser("what", example="how")
    args = parser.parse_args(["--json", str(tmp_path / "new" / "out.json")])
    rows = [{"shape": "1 x 2", "times": 2.345, "why": None}]
    common.finish(args, {"torch": "2"}, {"Unit": rows})
    assert "| shape | times | why |\n| --- | --- | --- |\n| 1 x 2 | 2.35 | - |" in (
        capsys.readouterr().out
    )
    written = json.loads(args.json.read_text())
    assert written == {"machine": {"torch": "2"}, "tables": {"Unit": rows}}


def test_the_header_names_versions_and_threads():
    header = common.machine()
    assert header["torch"] == torch.__version__
    assert header["threads"] == torch.get_num_threads()


def test_picture(tmp_path):
    path = tmp_path / "new" / "lines.png"
    common.draw_lines(path, {"a": [(1, 2), (2, 4)]}, title="t", xlabel="x", ylabel="y")
    assert path.stat().st_size > 1000
