"""The scores of a submission, of images that cityscapesScripts finds by their names too."""

import copy
import zipfile

import cv2
import numpy as np
import pytest
from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as scripts

from glore_seg.evaluation import CityscapesScorer
from glore_seg.evaluation.label_ids import update_from_files
from glore_seg.evaluation.submission import ExpectedImages
from tests.evaluation.submission.conftest import encode, write_zip


@pytest.fixture
def truth(street_scenes):
    val = ExpectedImages.of_folder(street_scenes / "leftImg8bit" / "val", "val")
    return val.ground_truth(street_scenes)


@pytest.fixture
def submission(truth):
    """Its files, whose names the server accepts, and its scores."""
    files, scorer = {}, CityscapesScorer()
    for (key, path), suffix in zip(truth.items(), ("", "_labelIds"), strict=True):
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        labels[20:40, 30:90] = 7  # the truth with a block of road, and road where it is ignored
        labels[np.isin(labels, [0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30])] = 7
        files[f"val/{key}{suffix}.png"] = encode(labels)
        update_from_files(scorer, labels, path)
    return files, scorer.compute()


def test_the_tool_prints_the_scores(street_scenes, submission, load_tool, tmp_path, capsys):
    files, scores = submission
    path = write_zip(tmp_path / "results.zip", files)
    arguments = [str(path), "--data-root", str(street_scenes), "--split", "val", "--quiet"]
    assert load_tool("check_submission")(arguments) == 0
    assert 10 < scores.as_dict()["mIoU"] < 100
    assert capsys.readouterr().out == f"no errors in 2 images\n{scores.summary()}\n"
    files.popitem()
    write_zip(path, files)
    assert load_tool("check_submission")(arguments) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 error (1 missing); 1 of 2 images read"
    assert "IoU" not in out


def test_cityscapesscripts_finds_the_images_and_gives_the_scores(truth, submission, tmp_path):
    files, scores = submission
    with zipfile.ZipFile(write_zip(tmp_path / "results.zip", files)) as archive:
        archive.extractall(tmp_path / "unpacked")
    args = copy.copy(scripts.args)
    args.predictionPath, args.quiet, args.JSONOutput = str(tmp_path / "unpacked"), True, False
    paths = [str(path) for path in truth.values()]
    found = [scripts.getPrediction(args, path) for path in paths]
    wanted = scripts.evaluateImgLists(found, paths, args)
    for ours, theirs in (
        ("mIoU", "averageScoreClasses"),
        ("miIoU", "averageScoreInstClasses"),
        ("mIoU_category", "averageScoreCategories"),
        ("miIoU_category", "averageScoreInstCategories"),
    ):
        assert scores.as_dict()[ours] == pytest.approx(100 * wanted[theirs], abs=1e-9)
