import numpy as np
import pytest

from glore_seg.apis.evaluation import evaluate
from glore_seg.apis.predictor import Predictor
from glore_seg.engine.runner import build_runner
from glore_seg.errors import DataError
from tests.configs.shrinking import name_run


def test_equals_the_runners_scores(small_cfg, save, tmp_path):
    checkpoint = save(small_cfg)
    evaluation = evaluate(Predictor(small_cfg, checkpoint, split="val"), small_cfg)
    name_run(small_cfg, tmp_path / "run").load_from = str(checkpoint)
    small_cfg.log_level = "ERROR"
    tested = build_runner(small_cfg).test()
    assert evaluation.mean_iou == pytest.approx(tested["mIoU"], abs=0.006)
    assert evaluation.accuracy == pytest.approx(tested["aAcc"], abs=0.006)
    scores = evaluation.scores.as_dict()
    assert scores["mIoU"] == pytest.approx(evaluation.mean_iou, abs=1e-9)
    assert scores["aAcc"] == pytest.approx(evaluation.accuracy, abs=1e-9)
    assert 0 <= scores["miIoU"] <= 100
    assert len(evaluation.paths) == len(evaluation.accuracies) == 2
    assert all(0 <= accuracy <= 1 for accuracy in evaluation.accuracies)
    assert evaluation.input_size == (64, 128)


def test_without_instances_or_label_ids(small_cfg, save, street_scenes, tmp_path):
    root = tmp_path / "copy"
    for file in street_scenes.rglob("val/*/*.png"):
        copy = root / file.relative_to(street_scenes)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if "instanceIds" not in file.name:
            copy.write_bytes(file.read_bytes())
    small_cfg.val_dataloader.dataset.data_root = str(root)
    predictor = Predictor(small_cfg, save(small_cfg), split="val")
    with_ids = evaluate(predictor, small_cfg)
    assert np.isnan(with_ids.scores.as_dict()["miIoU"])
    assert with_ids.scores.as_dict()["mIoU"] == pytest.approx(with_ids.mean_iou)
    for file in root.rglob("*_labelIds.png"):
        file.unlink()
    without = evaluate(predictor, small_cfg)
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
    evaluation = evaluate(Predictor(small_cfg, save(small_cfg), split="val"), small_cfg)
    assert evaluation.classes == ("way", "footway")
    assert evaluation.scores is None
    assert evaluation.confusion.shape == (2, 2)
    assert 0 <= evaluation.mean_iou <= 100


def test_rejects_a_split_without_labels(small_cfg, save):
    small_cfg.val_dataloader.dataset.pipeline = [
        {"type": "LoadImageFromFile"},
        {"type": "PackSegInputs"},
    ]
    predictor = Predictor(small_cfg, save(small_cfg), split="val")
    with pytest.raises(DataError, match=r"_leftImg8bit\.png"):
        evaluate(predictor, small_cfg)
