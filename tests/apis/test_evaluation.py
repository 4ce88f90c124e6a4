import shutil

import numpy as np
import pytest

from glore_seg.apis.evaluation import evaluate
from glore_seg.apis.predictor import Predictor
from glore_seg.engine.runner import build_runner
from glore_seg.errors import DataError
from tests.configs.shrinking import name_run


def run(cfg, checkpoint):
    return evaluate(Predictor(cfg, checkpoint, split="val"), cfg)


def test_equals_the_runners_scores(small_cfg, save, tmp_path):
    checkpoint = save(small_cfg)
    evaluation = run(small_cfg, checkpoint)
    name_run(small_cfg, tmp_path / "run").load_from = str(checkpoint)
    small_cfg.log_level = "ERROR"
    tested = build_runner(small_cfg).test()
    assert evaluation.mean_iou == pytest.approx(tested["mIoU"], abs=0.006)
    assert evaluation.accuracy == pytest.approx(tested["aAcc"], abs=0.006)
    scores = evaluation.scores.as_dict()
    assert scores["mIoU"] == pytest.approx(evaluation.mean_iou, abs=1e-9)
    assert scores["aAcc"] == pytest.approx(evaluation.accuracy, abs=1e-9)
    assert 0 <= scores["miIoU"] <= 100
    # Both images have the same number of labelled pixels, or nearly.
    assert np.mean(evaluation.accuracies) == pytest.approx(evaluation.accuracy / 100, abs=0.05)
    assert len(evaluation.paths) == len(evaluation.milliseconds) == 2
    assert evaluation.input_size == (64, 128)


def test_without_instances_or_label_ids(small_cfg, save, street_scenes, tmp_path):
    root, checkpoint = tmp_path / "copy", save(small_cfg)
    shutil.copytree(street_scenes, root, ignore=shutil.ignore_patterns("*instanceIds*"))
    small_cfg.val_dataloader.dataset.data_root = str(root)
    with_ids = run(small_cfg, checkpoint)
    assert np.isnan(with_ids.scores.as_dict()["miIoU"])
    assert with_ids.scores.as_dict()["mIoU"] == pytest.approx(with_ids.mean_iou)
    for file in root.rglob("*_labelIds.png"):
        file.unlink()
    without = run(small_cfg, checkpoint)
    assert without.scores is None
    assert without.mean_iou == with_ids.mean_iou


def test_other_classes_than_those_of_cityscapes(small_cfg, save):
    small_cfg.model.decode_head.num_classes = 2
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}]
    small_cfg.val_dataloader.dataset = {
        "type": "BaseSegDataset",
        "data_root": small_cfg.val_dataloader.dataset.data_root,
        "data_prefix": {"img_path": "leftImg8bit/val", "seg_map_path": "gtFine/val"},
        "img_suffix": "_leftImg8bit.png",
        "seg_map_suffix": "_gtFine_labelTrainIds.png",
        "metainfo": {"classes": ("way", "footway")},
        "pipeline": [*pipeline, {"type": "PackSegInputs"}],
    }
    evaluation = run(small_cfg, save(small_cfg))
    assert (evaluation.classes, evaluation.scores) == (("way", "footway"), None)
    assert evaluation.confusion.shape == (2, 2)
    assert 0 <= evaluation.mean_iou <= 100


def test_rejects_a_split_without_labels(small_cfg, save):
    steps = [{"type": "LoadImageFromFile"}, {"type": "PackSegInputs"}]
    small_cfg.val_dataloader.dataset.pipeline = steps
    with pytest.raises(DataError, match=r"_leftImg8bit\.png has no label"):
        run(small_cfg, save(small_cfg))
