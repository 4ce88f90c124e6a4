"""Scores of a submission against cityscapesScripts."""

import json
import os
import subprocess
import sys
import zipfile

import cv2
import numpy as np

from glore_seg.evaluation.submission import ExpectedImages
from tests.evaluation.submission.conftest import encode, write_zip

# NumPy's in1d, if it has one; importing glore_seg for its replacement would take longer.
CITYSCAPES_SCRIPTS = """
import numpy
numpy.in1d = getattr(numpy, "in1d", lambda a, b, **kw: numpy.isin(numpy.ravel(a), b, **kw))
from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling
evalPixelLevelSemanticLabeling.main()
"""


def test_the_tool_prints_the_scores_of_cityscapesscripts(
    street_scenes, load_tool, tmp_path, capsys
):
    val = ExpectedImages.of_folder(street_scenes / "leftImg8bit" / "val", "val")
    files = {}
    for key, path in val.ground_truth(street_scenes).items():
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        labels[20:40, 30:90] = 7  # the truth with a block of road, and road where it is ignored
        labels[np.isin(labels, [0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30])] = 7
        files[f"val/{key}_labelIds.png"] = encode(labels)
    path = write_zip(tmp_path / "results.zip", files)
    arguments = [str(path), "--data-root", str(street_scenes), "--split", "val", "--quiet"]
    assert load_tool("check_submission")(arguments) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "no errors in 2 images"
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
    averages = {
        "IoU class": wanted["averageScoreClasses"],
        "iIoU class": wanted["averageScoreInstClasses"],
        "IoU category": wanted["averageScoreCategories"],
        "iIoU category": wanted["averageScoreInstCategories"],
    }
    assert 0.1 < averages["IoU class"] < 1
    shown = ", ".join(f"{name} {100 * value:.2f}" for name, value in averages.items())
    assert lines[-1] == f"{shown} %"
    files.popitem()
    write_zip(path, files)
    assert load_tool("check_submission")(arguments) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 error (1 missing); 1 of 2 images read"
    assert "IoU" not in out
