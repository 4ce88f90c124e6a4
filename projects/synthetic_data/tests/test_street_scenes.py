import json

import numpy as np
import pytest
from cityscapesscripts.helpers.annotation import Annotation
from cityscapesscripts.helpers.csHelpers import getCsFileInfo
from cityscapesscripts.preparation.json2instanceImg import createInstanceImage
from cityscapesscripts.preparation.json2labelImg import json2labelImg
from PIL import Image

from projects.synthetic_data.street_scenes import (
    compose_scene,
    label_images,
    make_street_scenes,
    polygons,
    writer,
)
from projects.synthetic_data.street_scenes.shapes import box, clip, points
from projects.synthetic_data.tests.test_output_folder import contents, small


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
    assert not list(scenes.rglob(".*"))  # nothing unfinished


def test_labels_are_what_cityscapesscripts_makes_of_the_polygons(scenes, tmp_path):
    for source in sorted(scenes.glob("gtFine/*/*/*_polygons.json"))[::4]:
        stem = str(source).removesuffix("_polygons.json")
        for encoding, kind in (("ids", "labelIds"), ("trainIds", "labelTrainIds")):
            json2labelImg(str(source), str(tmp_path / "label.png"), encoding)
            np.testing.assert_array_equal(read(f"{stem}_{kind}.png"), read(tmp_path / "label.png"))
        annotation = Annotation()
        annotation.fromJsonFile(str(source))
        expected = np.asarray(createInstanceImage(annotation, "ids"))
        found = read(f"{stem}_instanceIds.png")
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, expected)


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
        annotation = polygons(compose_scene(seed, "train", index), (128, 256))
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
    del one[next(name for name in one if name.name == writer.MARKER)]
    assert one.items() <= two.items()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_train": -1}, "num_train is -1; expected 0 or more"),
        ({"size": (16, 32)}, r"size is 16 x 32 .*; expected sides of 32 to 4096"),
        ({"size": (128, 64)}, r"size is 128 x 64 \(height x width\); expected .* width of 1 to 4"),
        ({"size": (2048, 8192)}, "size is 2048 x 8192"),
        ({"seed": -3}, "seed is -3; expected 0 or more"),
    ],
)
def test_bad_settings(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make_street_scenes(tmp_path / "data", **options)


def test_clip():
    square = clip(box(-1, -1, 3, 1), 2, 2)
    assert sorted(map(tuple, square.tolist())) == [(0, 0), (0, 1), (2, 0), (2, 1)]
    assert clip(box(5, 5, 6, 6), 2, 2).shape == (0, 2)
    triangle = clip(points((0, 0), (4, 0), (0, 4)), 2, 9)
    assert sorted(map(tuple, triangle.tolist())) == [(0, 0), (0, 4), (2, 0), (2, 2)]
