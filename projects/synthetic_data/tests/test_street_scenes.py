import json
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from cityscapesscripts.helpers.csHelpers import getCsFileInfo
from cityscapesscripts.helpers.labels import name2label
from PIL import Image

from projects.synthetic_data.street_scenes.scene import Cues, compose_scene
from projects.synthetic_data.street_scenes.writer import (
    label_images,
    make_street_scenes,
    paint,
    polygons,
)
from projects.synthetic_data.tests.test_output_folder import contents, small

SIZE = (128, 256)
PLAIN = Cues(skyline="towers", rails=False, cycle_lane=False, crane=False)


def read(path):
    return np.asarray(Image.open(path))


def test_layout_is_that_of_cityscapes(scenes):
    images = sorted(scenes.glob("leftImg8bit/*/*/*.png"))
    assert len(images) == 24 + 12 + 3
    for path in images:
        info = getCsFileInfo(str(path))
        assert (info.city, info.type, info.ext) == (path.parent.name, "leftImg8bit", "png")
        assert (len(info.sequenceNb), len(info.frameNb)) == (6, 6)
        assert read(path).shape == (128, 256, 3)
    kinds = {"color", "instanceIds", "labelIds", "labelTrainIds", "polygons"}
    for split, count in (("train", 24), ("val", 12), ("test", 0)):  # that of test is withheld
        labels = [getCsFileInfo(str(p)) for p in scenes.glob(f"gtFine/{split}/*/*")]
        assert len(labels) == 5 * count
        assert {info.type2 for info in labels} == (kinds if count else set())
    assert read(next(scenes.rglob("*_instanceIds.png"))).dtype == np.uint16
    assert not list(scenes.rglob(".*"))  # nothing unfinished


@pytest.mark.parametrize("split", ["train", "val"])
def test_all_classes_occur_with_a_decent_share(scenes, split):
    labels = [read(p) for p in scenes.glob(f"gtFine/{split}/*/*_labelTrainIds.png")]
    share = np.bincount(np.ravel(labels), minlength=256) / np.size(labels)
    assert set(np.flatnonzero(share)) == {*range(19), 255}
    assert share[:19].min() > 0.004
    assert share[255] < 0.2


@pytest.mark.parametrize(("seed", "start"), [(0, 0), (0, 5), (1, 0), (1, 5)])
def test_any_eight_scenes_in_a_row_hold_all_classes(seed, start):
    found = set()
    for index in range(start, start + 8):
        annotation = polygons(compose_scene(seed, "train", index), SIZE)
        found |= set(np.unique(label_images(annotation)["labelTrainIds"]).tolist())
    assert found >= set(range(19))


def test_polygons_lie_in_the_image_and_have_instances_ignored_labels_and_groups(scenes):
    labels, instances = set(), 0
    for path in scenes.glob("gtFine/*/*/*_polygons.json"):
        annotation = json.loads(path.read_text())
        assert (annotation["imgHeight"], annotation["imgWidth"]) == (128, 256)
        corners = np.concatenate([entry["polygon"] for entry in annotation["objects"]])
        assert corners.min() >= 0
        assert tuple(corners.max(axis=0)) == (255, 127)
        labels |= {entry["label"] for entry in annotation["objects"]}
        cars = np.unique(read(str(path).replace("polygons.json", "instanceIds.png"))) // 1000 == 26
        instances = max(instances, cars.sum())
    assert instances >= 3
    assert labels >= {
        "ego vehicle", "license plate", "static", "dynamic", "ground", "parking", "rail track",
        "guard rail", "bridge", "cargroup", "persongroup",
    }  # fmt: skip


def test_the_seed_decides_and_a_larger_dataset_contains_the_smaller(tmp_path):
    one, two = contents(small(tmp_path / "one")), contents(small(tmp_path / "two", num_train=3))
    other = contents(small(tmp_path / "other", seed=1))
    images = [name for name in one if name.parts[0] == "leftImg8bit"]
    assert len({one[name] for name in images} | {other[name] for name in images}) == 8
    del one[next(name for name in one if name.name == "street_scenes.json")]
    assert one.items() <= two.items()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_train": -1}, "num_train is -1; expected 0 or more"),
        ({"size": (16, 32)}, r"size is 16 x 32 .*; expected sides of 32 to 4096"),
        ({"size": (128, 64)}, r"size is 128 x 64 \(height x width\); expected .* width of 1 to 4"),
        ({"seed": -3}, "seed is -3; expected 0 or more"),
    ],
)
def test_bad_settings(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make_street_scenes(tmp_path / "data", **options)


def test_cues_are_balanced_and_independent():
    cues = [compose_scene(0, "train", index).cues for index in range(200)]
    assert len({*cues}) == 3 * 2 * 2 * 2
    shares = np.unique([each.skyline for each in cues], return_counts=True)[1] / 200
    assert 0.23 < shares.min() <= shares.max() < 0.44
    flags = np.array([(each.rails, each.cycle_lane, each.crane) for each in cues], float)
    assert 0.4 < flags.mean(0).min() <= flags.mean(0).max() < 0.6
    assert np.abs(np.corrcoef(flags.T) - np.eye(3)).max() < 0.2


@cache
def render(index, cues):
    scene = compose_scene(0, "train", index, cues=cues)
    labels = label_images(polygons(scene, SIZE))["labelIds"]
    return paint(scene, SIZE), np.asarray(labels)


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"skyline": "hills"}, "sidewalk", "terrain"),
        ({"skyline": "viaduct"}, "sidewalk", "road"),
        ({"rails": True}, "bus", "train"),
        ({"cycle_lane": True}, "person", "rider"),
        ({"crane": True}, "wall", "fence"),
    ],
)
def test_a_far_cue_changes_the_class_but_not_the_pixels(change, before, after):
    old, new = name2label[before].id, name2label[after].id
    neighbors = np.ones((3, 3), np.uint8)
    pixels, distances = [], []
    for index in range(16):
        image, ids = render(index, PLAIN)
        flipped, flipped_ids = render(index, replace(PLAIN, **change))
        item = ((ids == old) & (flipped_ids == new)).astype(np.uint8)
        # the rim of an outline is blended with what lies behind it
        inner = cv2.erode(item, neighbors) > 0
        np.testing.assert_array_equal(image[inner], flipped[inner])
        pixels.append(inner.sum())
        cue = (image != flipped).any(axis=2) & ~(cv2.dilate(item, neighbors) > 0)
        away = cv2.distanceTransform((~cue).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        distances += away[item > 0].tolist()
    assert sum(count > 20 for count in pixels) >= 5
    assert sum(pixels) >= 16 * 20
    assert np.median(distances) > 16  # an eighth of the image's height
