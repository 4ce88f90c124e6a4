"""Scores of a submission against cityscapesScripts."""

import json
import os
import subprocess
import sys
import zipfile

import cv2
import numpy as np
import pytest

from glore_seg.evaluation import CityscapesScorer
from glore_seg.evaluation.ground_truth import update_from_files
from glore_seg.evaluation.submission import ExpectedImages, check_submission
from tests.evaluation.submission.conftest import encode, write_zip


@pytest.fixture
def val(street_scenes):
    return ExpectedImages.of_folder(street_scenes / "leftImg8bit" / "val", "val")


@pytest.fixture
def predictions(street_scenes, val):
    """The ground truth with a block of road over it, and road where nothing is evaluated."""
    predictions = {}
    for key, path in val.ground_truth(street_scenes).items():
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        labels[20:40, 30:90] = 7
        labels[np.isin(labels, [0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30])] = 7
        predictions[key] = labels
    return predictions


def test_tool_prints_the_scores_of_val(
    street_scenes, val, predictions, load_tool, tmp_path, capsys
):
    files = {f"val/{key}.png": encode(labels) for key, labels in predictions.items()}
    path = write_zip(tmp_path / "results.zip", files)
    arguments = [str(path), "--data-root", str(street_scenes), "--split", "val", "--quiet"]
    assert load_tool("check_submission")(arguments) == 0
    scorer = CityscapesScorer()
    for key, labels in predictions.items():
        update_from_files(scorer, labels, val.ground_truth(street_scenes)[key])
    scores = scorer.compute().as_dict()
    assert 10 < scores["mIoU"] < 100
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "no errors in 2 images"
    assert lines[-1] == (
        f"IoU class {scores['mIoU']:.2f}, iIoU class {scores['miIoU']:.2f}, "
        f"IoU category {scores['mIoU_category']:.2f}, "
        f"iIoU category {scores['miIoU_category']:.2f} %"
    )
    files.popitem()
    write_zip(path, files)
    assert load_tool("check_submission")(arguments) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 error (1 missing); 1 of 2 images read"
    assert "IoU" not in out


# NumPy's in1d, if it has one; importing glore_seg for its replacement would take longer.
CITYSCAPES_SCRIPTS = """
import numpy
numpy.in1d = getattr(numpy, "in1d", lambda a, b, **kw: numpy.isin(numpy.ravel(a), b, **kw))
from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling
evalPixelLevelSemanticLabeling.main()
"""


def test_cityscapesscripts_finds_the_same_images_and_scores(
    street_scenes, val, predictions, tmp_path
):
    files = {f"val/{key}_labelIds.png": encode(labels) for key, labels in predictions.items()}
    path = write_zip(tmp_path / "results.zip", files)
    scorer, truth = CityscapesScorer(), val.ground_truth(street_scenes)
    report = check_submission(
        path,
        val,
        on_image=lambda key, label_ids: update_from_files(scorer, label_ids, truth[key]),
        progress=False,
    )
    assert report.errors == []
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    folders = {
        "CITYSCAPES_DATASET": street_scenes,
        "CITYSCAPES_RESULTS": tmp_path / "unpacked",
        "CITYSCAPES_EXPORT_DIR": tmp_path,
    }
    subprocess.run(
        [sys.executable, "-c", CITYSCAPES_SCRIPTS],
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
