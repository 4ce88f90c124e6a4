"""The scores against cityscapesScripts, on cases that a scorer gets wrong."""

import json
import math
import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmseg.datasets import CityscapesDataset

from glore_seg.errors import DataError
from glore_seg.evaluation import CITYSCAPES_CLASSES, CityscapesScorer
from glore_seg.evaluation.confusion import ConfusionMatrix
from tests.evaluation.cases import cases, scene_images

REPOSITORY = Path(__file__).parents[2]
CASES = cases(200)
SEVERAL = {
    "all": [pair for name, case in CASES.items() for pair in case],
    "no_instances": [pair for name, case in CASES.items() if "ignored" in name for pair in case],
}
REFUSED = {
    "label 255": (7, 255, 7, r"label_ids.*\[255\]"),
    "label 34": (7, 34, 7, r"label_ids.*\[34\]"),
    "predicted 255": (255, 7, 7, r"prediction.*\[255\]"),
    "instance of a road": (7, 7, 7001, r"instance_ids.*\[7001\]"),
    "instance of no label": (26, 26, 34000, r"instance_ids.*\[34000\]"),
}


def full(prediction, label, instance, shape=(2, 3)):
    kinds = (np.uint8, np.uint8, np.uint16)
    values = zip((prediction, label, instance), kinds, strict=True)
    return tuple(np.full(shape, value, kind) for value, kind in values)


@pytest.fixture(scope="module")
def all_cases(street_scenes):
    refused = {name: [full(*values[:3])] for name, values in REFUSED.items()}
    return {**CASES, **SEVERAL, **refused, "scenes": list(scene_images(street_scenes))}


@pytest.fixture(scope="module")
def expected(all_cases, tmp_path_factory):
    """The scores by cityscapesScripts of every case."""
    root = tmp_path_factory.mktemp("pairs")
    for name, pairs in all_cases.items():
        (root / name).mkdir()
        for i, pair in enumerate(pairs):
            for kind, image in zip(("pred", "labelIds", "instanceIds"), pair, strict=True):
                assert cv2.imwrite(str(root / name / f"{i:03d}_{kind}.png"), image)
    done = subprocess.run(
        [sys.executable, "-m", "tests.reference.cityscapes_scripts", str(root)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {result["case"]: result for result in map(json.loads, done.stdout.splitlines())}


def scored(pairs):
    scorer = CityscapesScorer()
    for pair in pairs:
        scorer.update(*pair)
    return scorer


def assert_same(mine, theirs):
    """Compare every number of cityscapesScripts, in percent."""
    kinds = {"IoU": "class", "iIoU": "classInst"}
    kinds |= {"IoU_category": "category", "iIoU_category": "categoryInst"}
    averages = ("Classes", "InstClasses", "Categories", "InstCategories")
    for (kind, name), average in zip(kinds.items(), averages, strict=True):
        wanted = {f"{kind}.{label}": value for label, value in theirs[f"{name}Scores"].items()}
        for key, value in {f"m{kind}": theirs[f"averageScore{average}"], **wanted}.items():
            score = mine.get(key, math.nan)
            assert score == pytest.approx(100 * value, abs=1e-9, nan_ok=True), key


@pytest.mark.slow
def test_equals_cityscapesscripts_on_every_number(all_cases, expected):
    compared = 0
    for name, pairs in all_cases.items():
        if name in REFUSED:
            continue
        scores = scored(pairs).compute()
        assert scores.confusion.tolist() == expected[name]["confMatrix"], name
        assert_same(scores.as_dict(), expected[name])
        compared += 1
    assert compared == 203


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.slow
def test_rejects_what_cityscapesscripts_rejects(name, expected):
    assert "refused" in expected[name]
    *values, message = REFUSED[name]
    scorer = CityscapesScorer()
    with pytest.raises(DataError, match=message):
        scorer.update(*full(*values))
    assert scorer.compute().confusion.sum() == 0


def test_classes_are_mmsegmentations():
    assert CityscapesDataset.METAINFO["classes"] == CITYSCAPES_CLASSES


def test_pixel_accuracy_leaves_ignored_pixels_out():
    # cityscapesScripts' own counts the ignored pixels instead (invert=True in evaluatePair).
    truth = np.array([[7, 7, 8, 0, 9]], np.uint8)
    prediction = np.array([[7, 8, 0, 0, 7]], np.uint8)
    scorer = CityscapesScorer()
    scorer.update(prediction, truth, truth.astype(np.uint16))
    assert scorer.compute().accuracy == pytest.approx(100 / 3, abs=1e-12)


def test_instance_scores_written_out():
    # Two cars of 1 and 3 pixels, of which 1 and 1 are found, and a road pixel taken for a car.
    truth = np.array([[26, 26, 26, 26, 7]], np.uint8)
    instances = np.array([[26000, 26001, 26001, 26001, 7]], np.uint16)
    prediction = np.array([[26, 26, 27, 7, 26]], np.uint8)
    scorer = CityscapesScorer()
    scorer.update(prediction, truth, instances)
    scores = scorer.compute()
    size = 12794.0202738185  # pixels of an average car
    hit, missed = size + size / 3, 2 * size / 3
    assert scores.iiou["car"] == pytest.approx(100 * hit / (hit + missed + 1), abs=1e-12)
    hit, missed = size + 2 * size / 3, size / 3  # a truck is a vehicle too
    expected = 100 * hit / (hit + missed + 1)
    assert scores.iiou_category["vehicle"] == pytest.approx(expected, abs=1e-12)


def test_summed_states_equal_one_scorer():
    pairs = SEVERAL["all"]
    single = scored(pairs).compute()
    summed = CityscapesScorer()
    for i in range(3):
        summed.add_state(pickle.loads(pickle.dumps(scored(pairs[i::3]).state())))
    assert summed.compute().as_dict() == pytest.approx(single.as_dict(), abs=1e-10)
    assert (summed.compute().confusion == single.confusion).all()


def test_state_is_small():
    scene = scored(CASES["000_noise"])
    assert len(pickle.dumps(scene.state())) < 6_000
    scorer = CityscapesScorer()
    scorer.update(*full(7, 7, 7, shape=(1024, 2048)))
    assert len(pickle.dumps(scorer.state())) < 1_000


def test_counts_of_a_huge_image_are_exact():
    # More pixels than float32 counts, in which OpenCV counts.
    scorer = CityscapesScorer()
    scorer.update(*full(7, 7, 7, shape=(4099, 8191)))
    assert scorer.compute().confusion[7, 7] == 4099 * 8191


def test_without_instances_only_the_instance_scores_are_unknown():
    with_, without = CityscapesScorer(), CityscapesScorer()
    for prediction, truth, instances in SEVERAL["all"]:
        with_.update(prediction, truth, instances)
        without.update(prediction, truth, None)
    with_, without = with_.compute().as_dict(), without.compute().as_dict()
    assert with_.keys() == without.keys()
    for key, value in without.items():
        if "iIoU" in key:
            assert math.isnan(value)
            assert not math.isnan(with_[key])
        else:
            assert value == with_[key]


def test_other_classes_than_those_asked_for_are_ignored():
    names = ("road", "car", "rider")
    ids = {"road": 7, "car": 26, "rider": 25}
    few, whole = CityscapesScorer(names), CityscapesScorer()
    for prediction, truth, instances in SEVERAL["all"]:
        few.update(prediction, truth, instances)
        other = ~np.isin(truth, list(ids.values()))
        foreign = (instances > 1000) & ~np.isin(instances // 1000, list(ids.values()))
        truth = np.where(other, 0, truth).astype(np.uint8)
        instances = np.where(foreign, 0, instances).astype(np.uint16)
        whole.update(prediction, truth, instances)
    few, whole = few.compute(), whole.compute()
    assert tuple(few.iou) == ("road", "rider", "car")
    assert few.iou == {name: whole.iou[name] for name in few.iou}
    assert few.iiou == pytest.approx({name: whole.iiou[name] for name in ("rider", "car")})
    assert few.accuracy == whole.accuracy
    assert tuple(few.iou_category) == ("flat", "human", "vehicle")
    assert tuple(few.iiou_category) == ("human", "vehicle")


def test_table_and_summary_have_every_score():
    scores = scored(SEVERAL["all"]).compute()
    text = scores.summary()
    assert text.startswith(scores.table())
    assert all(name in text for name in CITYSCAPES_CLASSES)
    for value in (scores.iiou_category["vehicle"], scores.accuracy, scores.as_dict()["miIoU"]):
        assert f"{value:.2f}" in text


@pytest.mark.parametrize("classes", [("road", "lane"), ("caravan",), ()])
def test_rejects_classes_that_are_not_scored(classes):
    with pytest.raises(DataError, match=r"lane|caravan|nothing"):
        CityscapesScorer(classes)


@pytest.mark.parametrize(
    ("index", "change"),
    [
        (0, lambda prediction: prediction.astype(np.int64)),
        (0, lambda prediction: prediction[:, :2]),
        (1, lambda truth: truth[None]),
        (2, lambda instances: instances.astype(np.int32)),
    ],
    ids=["type", "size", "dimensions", "instance type"],
)
def test_rejects_other_arrays(index, change):
    images = [*full(7, 7, 7)]
    images[index] = change(images[index])
    with pytest.raises(DataError, match="expected uint"):
        CityscapesScorer().update(*images)


def test_scores_of_a_confusion_matrix():
    matrix = ConfusionMatrix(np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]]))
    np.testing.assert_allclose(matrix.iou, [100 * 6 / 9, 50, np.nan])
    np.testing.assert_allclose(matrix.recall, [75, 75, np.nan])
    np.testing.assert_allclose(matrix.precision, [100 * 6 / 7, 60, np.nan])
    np.testing.assert_allclose(matrix.share, [100 * 8 / 12, 100 * 4 / 12, 0])
    assert matrix.mean_iou == pytest.approx((100 * 6 / 9 + 50) / 2)
    assert matrix.accuracy == pytest.approx(75)
    empty = ConfusionMatrix(np.zeros((1, 1), int))
    assert np.isnan([empty.mean_iou, empty.accuracy]).all()
