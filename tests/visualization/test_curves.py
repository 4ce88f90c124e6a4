import json

import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import GloReSegError
from glore_seg.visualization import plot_training_curves, read_scalars
from glore_seg.visualization.curves import training_curves


def write(work_dir, run, entries):
    folder = work_dir / run / "vis_data"
    folder.mkdir(parents=True)
    (folder / "scalars.json").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


@pytest.fixture
def two_runs(tmp_path):
    """A training that was interrupted after iteration 3 and resumed at 2."""
    write(
        tmp_path,
        "20240102_000000",
        [{"lr": 0.2, "loss": 2.5, "step": 3}, {"lr": 0.1, "loss": 2.0, "step": 4}],
    )
    write(
        tmp_path,
        "20240101_000000",
        [
            {"lr": 0.4, "loss": 4.0, "step": 1},
            {"lr": 0.3, "loss": 3.0, "step": 2},
            {"mIoU": 10.0, "step": 2, "note": "text is no scalar"},
            {"lr": 0.2, "loss": 9.0, "step": 3},
            {"loss": 1.0},
        ],
    )
    return tmp_path


def test_the_later_run_wins_where_two_logged_the_same_iteration(two_runs):
    assert read_scalars(two_runs) == {
        "lr": [(1, 0.4), (2, 0.3), (3, 0.2), (4, 0.1)],
        "loss": [(1, 4.0), (2, 3.0), (3, 2.5), (4, 2.0)],
        "mIoU": [(2, 10.0)],
    }


def test_a_half_written_last_line_is_passed_over(two_runs):
    file = two_runs / "20240101_000000" / "vis_data" / "scalars.json"
    whole = read_scalars(two_runs)
    text = file.read_text()
    file.write_text(text + '{"lr": 0.2, "lo')
    assert read_scalars(two_runs) == whole
    file.write_text('{"lr": 0.2, "lo\n' + text)
    with pytest.raises(ValueError, match=r"scalars\.json, line 1 is '.*lo'; expected a JSON"):
        read_scalars(two_runs)
    file.write_text(text + "3\n")
    with pytest.raises(ValueError, match=r"scalars\.json, line 6 is '3'; expected a JSON object"):
        read_scalars(two_runs)


def test_what_was_logged_beside_a_scalar(tmp_path):
    write(
        tmp_path,
        "20240101_000000",
        [{"time": 0.5, "loss": 1.0, "step": 2}, {"time": 9.0, "mIoU": 5.0, "step": 2}],
    )
    assert read_scalars(tmp_path)["time"] == [(2, 9.0)]
    assert read_scalars(tmp_path, beside="loss")["time"] == [(2, 0.5)]
    assert read_scalars(tmp_path, beside="mAcc") == {}


def test_figures_of_their_own_leave_out_what_was_not_logged(two_runs):
    scalars = read_scalars(two_runs)
    assert list(training_curves(scalars)) == ["training loss", "learning rate", "mIoU on val, %"]
    figures = training_curves(scalars, score="mDice")
    assert list(figures) == ["training loss", "learning rate"]
    (line,) = figures["learning rate"].axes[0].lines
    assert line.get_xydata().tolist() == [[1, 0.4], [2, 0.3], [3, 0.2], [4, 0.1]]


def test_curves_are_three_panels(two_runs):
    out = two_runs / "curve.png"
    plot_training_curves(two_runs, out)
    image = np.array(Image.open(out).convert("L"))
    assert image.shape == (384, 1200)
    # Something is drawn in each third.
    assert all((third < 128).sum() > 200 for third in np.split(image, 3, axis=1))


def test_a_score_that_was_never_logged_leaves_its_panel_empty(two_runs):
    plot_training_curves(two_runs, two_runs / "with.png")
    plot_training_curves(two_runs, two_runs / "without.png", score="mDice")
    blue = [
        (np.array(Image.open(two_runs / name).convert("RGB"))[:, 820:] == (31, 119, 180)).all(-1)
        for name in ("with.png", "without.png")
    ]
    assert blue[0].any()
    assert not blue[1].any()


def test_a_folder_without_scalars_is_refused(tmp_path):
    message = r"holds no \*/vis_data/scalars\.json; expected the work folder of a training"
    with pytest.raises(GloReSegError, match=message):
        plot_training_curves(tmp_path, tmp_path / "curve.png")
    assert list(tmp_path.iterdir()) == []


def test_steps_that_are_none_and_bytes_that_are_no_text(tmp_path):
    write(tmp_path, "1", [{"loss": 1.0, "step": "2"}, {"loss": 3.0, "step": 2}])
    assert read_scalars(tmp_path)["loss"] == [(2, 3.0)]
    file = tmp_path / "1" / "vis_data" / "scalars.json"
    file.write_bytes(b"\xff\n" + file.read_bytes())
    with pytest.raises(ValueError, match=r"scalars\.json, line 1 is .*expected a JSON object"):
        read_scalars(tmp_path)
