"""The scores of a submission, which tests/evaluation/test_cityscapes_scores.py compares."""

import cv2
import numpy as np

from glore_seg.evaluation import CityscapesScorer
from glore_seg.evaluation.label_ids import update_from_files
from glore_seg.evaluation.submission import ExpectedImages
from tests.evaluation.submission.conftest import encode, write_zip


def test_the_tool_prints_the_scores(street_scenes, load_tool, tmp_path, capsys):
    val = ExpectedImages.of_folder(street_scenes / "leftImg8bit" / "val", "val")
    files, scorer = {}, CityscapesScorer()
    for key, path in val.ground_truth(street_scenes).items():
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        labels[20:40, 30:90] = 7  # the truth with a block of road, and road where it is ignored
        labels[np.isin(labels, [0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30])] = 7
        files[f"val/{key}_labelIds.png"] = encode(labels)
        update_from_files(scorer, labels, path)
    path = write_zip(tmp_path / "results.zip", files)
    arguments = [str(path), "--data-root", str(street_scenes), "--split", "val", "--quiet"]
    assert load_tool("check_submission")(arguments) == 0
    assert 10 < scorer.compute().as_dict()["mIoU"] < 100
    wanted = f"no errors in 2 images\n{scorer.compute().summary()}\n"
    assert capsys.readouterr().out == wanted
    files.popitem()
    write_zip(path, files)
    assert load_tool("check_submission")(arguments) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 error (1 missing); 1 of 2 images read"
    assert "IoU" not in out
