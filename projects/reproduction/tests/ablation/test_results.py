"""What is read from work folders, and the tables and files made of it."""

import json
import math

import numpy as np
import pytest
from scipy.stats import ttest_rel

from glore_seg.apis.complexity import Complexity
from projects.reproduction.ablation.costs import Cost, read_costs, write_costs
from projects.reproduction.ablation.plan import Run
from projects.reproduction.ablation.results import (
    as_markdown,
    gather,
    paired_difference,
    write_results,
)
from projects.reproduction.tests.ablation.runs import log, make_config

COSTS = {
    "a": Cost(10.4, 9.0, 1.0, 80.0, 1_000_000, 2_000_000_000),
    "b": Cost(12.0, 9.9, 1.1, 90.0, 1_500_000, 2_500_000_000),
}
COUNTS = {
    "a": Complexity(1_000_000, 1_000_100, 2_000_000_000, {}),
    "b": Complexity(1_500_000, 1_500_100, 2_500_000_000, {}),
}


@pytest.fixture
def rows(rows):
    """Rows a and b; a with seeds 0, 1 and half of 2, b with seeds 0 and 1."""
    lasts = {("a", 0): 40.0, ("a", 1): 50.0, ("b", 0): 42.0, ("b", 1): 51.0}
    for row in rows:
        for seed in (0, 1):
            run = Run(row, seed)
            last = lasts[row.name, seed]
            make_config(run.work_dir / f"{row.name}.py", randomness={"seed": seed})
            log(run.work_dir, {2: last + 5, 4: last}, until=4)
    log(Run(rows[0], 2).work_dir, {2: 1.0}, until=2)
    return rows


def test_what_is_read_of_a_run(rows):
    found = gather(rows, [0, 1, 2])
    assert [result.seed for result in found["a"]] == [0, 1]
    first = found["a"][0]
    assert (first.last, first.best) == (40.0, 45.0)
    assert first.curve == ((2, 45.0), (4, 40.0))
    assert first.class_iou == {"road": 40.0, "car": 0.0}
    # 1.0 s and 0.5 s in turns; the validation's own time is no training
    assert first.minutes == pytest.approx(3.0 / 60)
    assert first.step_ms == 750.0
    assert first.gpu_mb is None


def test_missing_runs_and_those_that_cannot_be_compared_are_refused(rows):
    with pytest.raises(ValueError, match="no finished run of a, b with seed 2; run without"):
        gather(rows, [2])
    make_config(Run(rows[1], 1).work_dir / "b.py", train_dataloader__batch_size=8)
    with pytest.raises(ValueError, match=r"^a seed 0 has .*batch_size = 2, b seed 1 has 8"):
        gather(rows, [0, 1])


def test_tables(rows):
    text = as_markdown(gather(rows, [0, 1]), COUNTS, COSTS)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    size = ["80 (--costs)", "1.000", "2.000"]
    assert ["a", "2", "45.00 ± 7.07", "50.00 ± 7.07", "-", "0.1", *size] in lines
    # differences 2 and 1: 1.5 and 12.706 * 0.7071 / sqrt(2) about it
    size = ["90 (--costs)", "1.500", "2.500"]
    scores = ["46.50 ± 6.36", "51.50 ± 6.36", "+1.50 [-4.85, +7.85]"]
    assert ["b", "2", *scores, "0.1", *size] in lines
    assert ["road", "45.00 ± 7.07", "46.50 ± 6.36"] in lines
    assert ["b", "12", "10", "1.100", "90"] in lines


def test_one_seed_has_no_interval(rows):
    text = as_markdown(gather(rows, [0]), COUNTS)
    assert "+2.00 (one seed)" in text
    assert "| -          | 1.500         | 2.500 |" in text
    assert "times the first" not in text


def test_memory_on_a_gpu_is_that_of_the_training(rows):
    for run, mib in ((Run(rows[1], 0), 1000), (Run(rows[1], 1), 1100)):
        file = next(run.work_dir.glob("*/vis_data/scalars.json"))
        file.write_text(file.read_text().replace('"loss"', f'"memory": {mib}, "loss"'))
    found = gather(rows, [0, 1])
    assert [result.gpu_mb for result in found["b"]] == [1048.576, 1153.4336]
    table = as_markdown(found, COUNTS, COSTS).split("\n\n")[0]
    assert "| 80 (--costs) |" in table
    assert "| 1153         |" in table


def test_files_and_costs_are_kept(rows, tmp_path):
    assert read_costs(tmp_path) is None
    write_costs(tmp_path, COSTS)
    assert read_costs(tmp_path) == COSTS
    files = write_results(tmp_path / "new", gather(rows, [0, 1]), COUNTS, COSTS)
    assert [file.name for file in files] == ["ablation.json", "ablation.md", "ablation.png"]
    found = json.loads(files[0].read_text())
    assert found["reference"] == "a"
    assert found["rows"]["b"]["difference"]["mean"] == 1.5
    assert found["rows"]["b"]["runs"][1]["class_iou"] == {"road": 51.0, "car": 0.0}
    sizes = {key: found["rows"]["b"][key] for key in ("params", "macs", "gpu_mb")}
    assert sizes == {"params": 1_500_000, "macs": 2_500_000_000, "gpu_mb": None}
    assert found["costs"]["b"]["memory_mb"] == 90.0
    assert found["machine"]["python"]
    assert files[1].read_text().startswith("| row | seeds | mIoU %, last ")
    assert files[2].read_bytes().startswith(b"\x89PNG")
    assert files[2].stat().st_size > 10_000


def test_interval_agrees_with_the_paired_t_test():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(1, 1, 8), rng.normal(0, 1, 8)
    difference = paired_difference(dict(enumerate(ours)), dict(enumerate(theirs)))
    interval = ttest_rel(ours, theirs).confidence_interval()
    assert difference.mean - difference.margin == pytest.approx(interval.low)
    assert difference.mean + difference.margin == pytest.approx(interval.high)
    # only common seeds count
    one = paired_difference({0: 5.0, 2: 9.0}, {0: 4.0, 1: 0.0})
    assert (one.mean, one.margin, one.seeds) == (1.0, None, (0,))
    assert math.isnan(paired_difference({0: 5.0}, {1: 4.0}).mean)
