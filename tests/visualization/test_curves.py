import json

import pytest

from glore_seg.errors import GloReSegError
from glore_seg.visualization import read_scalars
from glore_seg.visualization.curves import training_curves


def write(work_dir, run, *entries):
    folder = work_dir / run / "vis_data"
    folder.mkdir(parents=True)
    file = folder / "scalars.json"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return file


@pytest.fixture
def two_runs(tmp_path):
    """A training that was interrupted after iteration 3 and resumed at 2."""
    write(
        tmp_path,
        "20240102_000000",
        {"lr": 0.2, "loss": 2.5, "step": 3},
        {"lr": 0.1, "loss": 2.0, "step": 4},
    )
    write(
        tmp_path,
        "20240101_000000",
        {"lr": 0.4, "loss": 4.0, "step": 1},
        {"lr": 0.3, "loss": 3.0, "step": 2},
        {"mIoU": 10.0, "step": 2, "note": "text is no scalar"},
        {"lr": 0.2, "loss": 9.0, "step": 3},
        {"loss": 1.0},
        {"loss": 1.0, "step": "2"},
    )
    return tmp_path


def test_the_later_run_replaces_iterations_of_the_earlier(two_runs):
    assert read_scalars(two_runs) == {
        "lr": [(1, 0.4), (2, 0.3), (3, 0.2), (4, 0.1)],
        "loss": [(1, 4.0), (2, 3.0), (3, 2.5), (4, 2.0)],
        "mIoU": [(2, 10.0)],
    }


def test_only_the_last_line_may_be_incomplete(two_runs):
    file = two_runs / "20240101_000000" / "vis_data" / "scalars.json"
    scalars, text = read_scalars(two_runs), file.read_text()
    file.write_text(text + '{"lr": 0.2, "lo')
    assert read_scalars(two_runs) == scalars
    for corrupted in (b'{"lr": 0.2, "lo\n', b"3\n", b"\xff\n"):
        file.write_bytes(corrupted + text.encode())
        with pytest.raises(GloReSegError, match=r"scalars\.json, line 1 is"):
            read_scalars(two_runs)


def test_entries_that_contain_a_scalar(tmp_path):
    with pytest.raises(GloReSegError, match=r"scalars\.json"):
        read_scalars(tmp_path)
    entries = {"time": 0.5, "loss": 1.0, "step": 2}, {"time": 9.0, "mIoU": 5.0, "step": 2}
    write(tmp_path, "20240101_000000", *entries)
    assert read_scalars(tmp_path)["time"] == [(2, 9.0)]
    assert read_scalars(tmp_path, beside="loss")["time"] == [(2, 0.5)]
    assert read_scalars(tmp_path, beside="mAcc") == {}


def test_figures_of_the_logged_curves(two_runs):
    scalars = read_scalars(two_runs)
    figures = training_curves(scalars)
    assert list(figures) == ["training loss", "learning rate", "mIoU on val, %"]
    (line,) = figures["learning rate"].axes[0].lines
    assert line.get_xydata().tolist() == [[1, 0.4], [2, 0.3], [3, 0.2], [4, 0.1]]
    assert list(training_curves({"lr": scalars["lr"]})) == ["learning rate"]
