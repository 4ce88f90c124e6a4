"""Counts of classes equal those of the files."""

import json
from collections import Counter

import cv2
import pytest
from mmseg.datasets import CityscapesDataset
from PIL import Image

from glore_seg.errors import GloReSegError


def test_counts_what_the_files_hold(load_tool, small_config, street_scenes, tmp_path, capsys):
    files = sorted((street_scenes / "gtFine" / "train").glob("*/*_labelTrainIds.png"))
    expected = Counter()
    for file in files:
        expected.update(cv2.imread(str(file), cv2.IMREAD_UNCHANGED).ravel().tolist())
    options = ["--json", tmp_path / "balance.json", "--plot", tmp_path / "balance.png"]
    load_tool("analysis/class_balance")([small_config, *map(str, options)])
    written = json.loads((tmp_path / "balance.json").read_text())
    assert [c["name"] for c in written["classes"]] == list(CityscapesDataset.METAINFO["classes"])
    assert [c["pixels"] for c in written["classes"]] == [expected[i] for i in range(19)]
    assert written["ignored_pixels"] == expected[255]
    assert written["num_images"] == len(files) == 8
    assert "8 images;" in capsys.readouterr().out
    assert Image.open(tmp_path / "balance.png").size > (800, 600)
    for option, file in (options[:2], options[2:]):
        with pytest.raises(GloReSegError, match=f"{file.name} exists; give another name, or --o"):
            load_tool("analysis/class_balance")([small_config, option, str(file)])


def test_without_labels(load_tool, write_config):
    loads = [{"type": "LoadImageFromFile"}, {"type": "PackSegInputs"}]
    config = write_config(
        test_dataloader__dataset__pipeline=loads, val_dataloader__dataset__pipeline=loads
    )
    with pytest.raises(ValueError, match="the split has no labels; expected a test or val pipel"):
        load_tool("analysis/class_balance")([config])
