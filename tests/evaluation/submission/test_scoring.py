"""Scores straight from a submission of a split with ground truth."""

import json
import os
import subprocess
import sys
import zipfile

import cv2
import numpy as np
import pytest

from glore_seg.errors import GloReSegError
from glore_seg.evaluation import CityscapesScorer
from glore_seg.evaluation.submission import ExpectedImages, SubmissionScorer, check_submission
from glore_seg.evaluation.submission.png import encode
from tests.evaluation.submission.conftest import write_zip


@pytest.fixture
def val(street_scenes):
    return ExpectedImages.of_folder(street_scenes / "leftImg8bit" / "val", "val")


def truth(street_scenes, key, kind):
    path = street_scenes / "gtFine" / "val" / key.split("_")[0] / f"{key}_gtFine_{kind}.png"
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


@pytest.fixture
def predictions(street_scenes, val):
    """The ground truth with a block of road over it, and road for what is not evaluated."""
    predictions = {}
    for key in val.sizes:
        labels = truth(street_scenes, key, "labelIds")
        labels[20:40, 30:90] = 7
        labels[np.isin(labels, [0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30])] = 7
        predictions[key] = labels
    return predictions


def test_tool_prints_the_scores_of_val(street_scenes, predictions, load_tool, tmp_path, capsys):
    files = {f"val/{key}.png": encode(labels) for key, labels in predictions.items()}
    path = write_zip(tmp_path / "results.zip", files)
    arguments = [str(path), "--data-root", str(street_scenes), "--split", "val", "--quiet"]
    assert load_tool("check_submission")(arguments) == 0
    scorer = CityscapesScorer()
    for key, labels in predictions.items():
        scorer.update(
            labels, truth(street_scenes, key, "labelIds"), truth(street_scenes, key, "instanceIds")
        )
    scores = scorer.compute().as_dict()
    assert 10 < scores["mIoU"] < 100
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "no fault in 2 images"
    assert lines[-1] == (
        f"IoU class {scores['mIoU']:.2f}, iIoU class {scores['miIoU']:.2f}, "
        f"IoU category {scores['mIoU_category']:.2f}, "
        f"iIoU category {scores['miIoU_category']:.2f} %"
    )

    files.popitem()
    write_zip(path, files)
    assert load_tool("check_submission")(arguments) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 fault (1 missing); 1 of 2 images read"
    assert "IoU" not in out


# NumPy's own in1d, where it has one; importing glore_seg for its stand-in would take longer.
RUN_AS_IT_IS = """
import numpy
numpy.in1d = getattr(numpy, "in1d", lambda a, b, **kw: numpy.isin(numpy.ravel(a), b, **kw))
from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling
evalPixelLevelSemanticLabeling.main()
"""


def test_cityscapesscripts_finds_the_same_images_and_scores(
    street_scenes, val, predictions, tmp_path
):
    """Its own search for predictions, in an accepted submission that was unpacked."""
    files = {f"val/{key}_labelIds.png": encode(labels) for key, labels in predictions.items()}
    path = write_zip(tmp_path / "results.zip", files)
    scorer = SubmissionScorer.of_data_set(street_scenes, val)
    report = check_submission(path, val, on_image=scorer.update, progress=False)
    assert report.faults == []
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    folders = {
        "CITYSCAPES_DATASET": street_scenes,
        "CITYSCAPES_RESULTS": tmp_path / "unpacked",
        "CITYSCAPES_EXPORT_DIR": tmp_path,
    }
    subprocess.run(
        [sys.executable, "-c", RUN_AS_IT_IS],
        env={**os.environ, **{key: str(folder) for key, folder in folders.items()}},
        check=True,
        capture_output=True,
    )
    wanted = json.loads((tmp_path / "resultPixelLevelSemanticLabeling.json").read_text())
    scores = scorer.compute().as_dict()
    for ours, theirs in (
        ("mIoU", "averageScoreClasses"),
        ("miIoU", "averageScoreInstClasses"),
        ("mIoU_category", "averageScoreCategories"),
        ("miIoU_category", "averageScoreInstCategories"),
    ):
        assert scores[ours] == pytest.approx(100 * wanted[theirs], abs=1e-9)


def test_where_there_is_no_ground_truth(street_scenes, val, tmp_path):
    assert SubmissionScorer.of_data_set(tmp_path, val) is None
    test = ExpectedImages("test", val.counts, val.sizes)
    assert SubmissionScorer.of_data_set(street_scenes, test) is None
    more = ExpectedImages("val", {"ulm": 3}, {**val.sizes, "ulm_000000_000019": (8, 8)})
    with pytest.raises(GloReSegError, match=r"1 of 3 images .*\(ulm_000000_000019 the first"):
        SubmissionScorer.of_data_set(street_scenes, more)


def test_no_instances_and_unreadable_truth(tmp_path):
    path = tmp_path / "a_gtFine_labelIds.png"
    path.write_bytes(encode(np.full((8, 16), 7, np.uint8)))
    scorer = SubmissionScorer({"a": path})
    scorer.update("a", np.full((8, 16), 7, np.uint8))
    assert scorer.summary().endswith(
        "IoU class 100.00, iIoU class nan, IoU category 100.00, iIoU category nan %"
    )
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="cannot be read as an image; expected a PNG: unpack"):
        scorer.update("a", np.full((8, 16), 7, np.uint8))
