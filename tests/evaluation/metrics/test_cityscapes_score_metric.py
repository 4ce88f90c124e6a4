"""The metric under mmengine: ground truth files, distributed evaluation, checkpoints."""

import math
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from cityscapesscripts.helpers.labels import id2label
from mmengine.logging import MMLogger
from mmseg.registry import METRICS
from PIL import Image

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.datasets import CAMVID_CLASSES
from glore_seg.engine import build_runner
from glore_seg.errors import ConfigError, DataError, GloReSegError
from glore_seg.evaluation import CITYSCAPES_CLASSES, CityscapesScoreMetric, CityscapesScorer
from glore_seg.visualization import read_scalars
from tests.configs.shrinking import shrink
from tests.fixtures import STREET_SCENES

TRAIN_IDS = "gtFine_labelTrainIds.png"


def build(*, classes=CITYSCAPES_CLASSES, **options):
    metric = METRICS.build({"type": "CityscapesScoreMetric", **options})
    metric.dataset_meta = {"classes": classes}
    return metric


def read(path, kind):
    return cv2.imread(str(path).replace("labelTrainIds", kind), cv2.IMREAD_UNCHANGED)


def labels(root):
    return sorted((root / "gtFine").rglob(f"*{TRAIN_IDS}"))


def sample(path, prediction):
    return {
        "pred_sem_seg": {"data": torch.from_numpy(prediction)[None]},
        "img_path": str(path).replace(TRAIN_IDS, "leftImg8bit.png"),
        "seg_map_path": str(path),
    }


def guess(path):
    """Train ids, wrong along edges, with a class for what is ignored."""
    truth = np.roll(read(path, "labelTrainIds"), 2, 1).astype(np.int64)
    truth[truth == 255] = 0
    return truth


def expected(paths, **options):
    scorer = CityscapesScorer(**options)
    table = np.array([7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33], np.uint8)
    for path in paths:
        scorer.update(table[guess(path)], read(path, "labelIds"), read(path, "instanceIds"))
    return scorer.compute().as_dict()


def test_scores_from_the_files_beside_the_label(street_scenes):
    metric = build()
    assert isinstance(metric, CityscapesScoreMetric)
    paths = labels(street_scenes)
    assert len(paths) == 10
    for _ in range(2):  # the second evaluation starts anew
        metric.process({}, [sample(path, guess(path)) for path in paths[:4]])
        metric.process({}, [sample(path, guess(path)) for path in paths[4:]])
        scores = metric.evaluate(size=10)
        assert scores == pytest.approx(expected(paths), abs=1e-9, nan_ok=True)
    assert list(scores)[:5] == ["mIoU", "miIoU", "mIoU_category", "miIoU_category", "aAcc"]
    assert len(scores) == 5 + 19 + 8 + 7 + 2
    assert 20 < scores["miIoU"] < 100
    assert metric.scores.confusion.sum() == 10 * 64 * 128


def test_padding_of_the_last_batch_counts_once_and_the_table_is_logged(street_scenes, tmp_path):
    MMLogger.get_instance(str(tmp_path), log_file=str(tmp_path / "log.txt"))
    metric = build()
    paths = labels(street_scenes)[:2]
    metric.process({}, [sample(path, guess(path)) for path in (*paths, paths[0])])
    assert metric.evaluate(size=2) == pytest.approx(expected(paths), abs=1e-9, nan_ok=True)
    assert metric.scores.table() in (tmp_path / "log.txt").read_text()


def test_a_subset_of_the_classes_in_its_own_order(street_scenes):
    names = ("car", "road", "person", "sky")
    index_of = np.full(256, 1, np.int64)
    index_of[[CITYSCAPES_CLASSES.index(name) for name in names]] = range(4)
    scorer = CityscapesScorer(names)
    metric = build(classes=names)
    paths = labels(street_scenes)
    for path in paths:
        prediction = index_of[guess(path)]
        ids = np.array([26, 7, 24, 23], np.uint8)[prediction]
        scorer.update(ids, read(path, "labelIds"), read(path, "instanceIds"))
        metric.process({}, [sample(path, prediction)])
    scores = metric.evaluate(size=10)
    assert scores == pytest.approx(scorer.compute().as_dict(), abs=1e-9, nan_ok=True)
    assert {key for key in scores if key.startswith("IoU.")} == {f"IoU.{name}" for name in names}


@pytest.fixture
def label(street_scenes, tmp_path):
    """A copy of one label."""
    path = labels(street_scenes)[0]
    for kind in ("labelTrainIds", "labelIds", "instanceIds"):
        shutil.copy(str(path).replace("labelTrainIds", kind), tmp_path)
    return tmp_path / path.name


def test_without_instances(label):
    Path(str(label).replace("labelTrainIds", "instanceIds")).unlink()
    prediction = np.zeros((64, 128), np.int64)
    with pytest.raises(DataError, match=r"instanceIds\.png"):
        build().process({}, [sample(label, prediction)])
    metric = build(instances=False, classes=CAMVID_CLASSES)
    metric.process({}, [sample(label, prediction)])
    scores = metric.evaluate(size=1)
    assert list(scores)[:3] == ["mIoU", "mIoU_category", "aAcc"]
    assert len(scores) == 3 + len(CAMVID_CLASSES) + 7
    assert "iIoU" not in metric.scores.table()


def test_rejects_what_does_not_fit(label):
    prediction = np.zeros((64, 128), np.int64)
    good = sample(label, prediction)
    for metric, given, value in (
        (build(), {**good, "seg_map_path": None}, "None"),
        (build(), sample(label, prediction[:32]), r"labelIds\.png.*\(32, 128\)"),
        (build(), sample(label, prediction + 19), r"class 19 .*leftImg8bit\.png.*num_classes=19"),
        (build(classes=("road", "lane")), good, "'lane'"),
        (CityscapesScoreMetric(), good, "None"),
    ):
        with pytest.raises(GloReSegError, match=value):
            metric.process({}, [given])
    with pytest.raises(ConfigError, match="output_dir"):
        CityscapesScoreMetric(format_only=True)


@pytest.mark.parametrize("format_only", [True, False])
def test_writes_label_ids_and_deletes_nothing(label, tmp_path, format_only):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("kept")
    metric = build(output_dir=str(out), format_only=format_only)
    prediction = np.arange(64 * 128).reshape(64, 128) % 19
    metric.process({}, [sample(label, prediction)])
    scores = metric.evaluate(size=1)
    assert (scores == {}) == format_only
    del metric
    image = label.name.replace(TRAIN_IDS, "leftImg8bit.png")
    assert sorted(path.name for path in out.iterdir()) == sorted([image, "mine.txt"])
    written = Image.open(out / image)
    assert written.mode == "L"
    train_ids = np.vectorize(lambda i: id2label[i].trainId)(np.array(written))
    assert (train_ids == prediction).all()


@pytest.mark.slow
def test_save_best_on_any_key(street_scenes, tmp_path):
    config = load_config(str(STREET_SCENES), cfg_options=SMALL_NETWORK)
    cfg = shrink(config, street_scenes, tmp_path / "work_dir", max_iters=2)
    cfg.train_cfg.val_interval = 1
    keys = ["mIoU", "miIoU", "miIoU_category", "IoU.traffic light", "iIoU.car", "IoU_category.sky"]
    cfg.default_hooks.checkpoint.update(interval=1, save_best=keys)
    runner = build_runner(cfg)
    runner.train()
    scalars = read_scalars(tmp_path / "work_dir")
    best = runner.message_hub.runtime_info
    for key in keys:
        valid = [value for _, value in scalars[key] if not math.isnan(value)]
        if valid:
            assert best[f"best_score_{key}"] == max(valid)
            assert list((tmp_path / "work_dir").glob(f"best_{key}_iter_*.pth")), key
    assert sum(f"best_score_{key}" in best for key in keys) >= 5
