import hashlib
import json

import numpy as np
import pytest
from cityscapesscripts.helpers.annotation import Annotation
from cityscapesscripts.helpers.csHelpers import getCsFileInfo
from cityscapesscripts.helpers.labels import id2label, name2label
from cityscapesscripts.preparation.json2instanceImg import createInstanceImage
from cityscapesscripts.preparation.json2labelImg import json2labelImg
from PIL import Image, ImageDraw

from glore_seg.errors import GloReSegError
from projects.synthetic_data.street_scenes import (
    compose_scene,
    label_images,
    make_street_scenes,
    paint,
    polygons,
    writer,
)
from projects.synthetic_data.street_scenes.shapes import box, clip, points
from projects.synthetic_data.street_scenes.writer import MARKER


def read(path):
    return np.asarray(Image.open(path))


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def small(root, **options):
    options = {"num_train": 3, "num_val": 2, "num_test": 1, "size": (32, 64), **options}
    return make_street_scenes(root, progress=False, **options)


# ------------------------------------------------------------------------------------------ layout


def test_layout_is_that_of_cityscapes(scenes):
    images = sorted(scenes.glob("leftImg8bit/*/*/*.png"))
    assert len(images) == 24 + 12 + 3
    for path in images:
        info = getCsFileInfo(str(path))
        assert (info.city, info.type, info.ext) == (path.parent.name, "leftImg8bit", "png")
        assert (len(info.sequenceNb), len(info.frameNb)) == (6, 6)
        assert read(path).shape == (128, 256, 3)
    cities = {path.parent.name for path in images if "val" in path.parts}
    assert cities == {"frankfurt", "lindau", "munster"}
    kinds = {"color", "instanceIds", "labelIds", "labelTrainIds", "polygons"}
    for split, count in (("train", 24), ("val", 12)):
        labels = [getCsFileInfo(str(p)) for p in scenes.glob(f"gtFine/{split}/*/*")]
        assert len(labels) == 5 * count
        assert {(info.type, info.type2) for info in labels} == {("gtFine", kind) for kind in kinds}


def test_ground_truth_of_test_is_withheld(scenes):
    assert not (scenes / "gtFine" / "test").exists()


def test_no_unfinished_file_is_left(scenes):
    assert not list(scenes.rglob(".*"))


def test_labels_are_what_cityscapesscripts_makes_of_the_polygons(scenes, tmp_path):
    sources = sorted(scenes.glob("gtFine/*/*/*_polygons.json"))[::4]
    for source in sources:
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


def test_instances_agree_with_the_labels(scenes):
    for path in sorted(scenes.glob("gtFine/train/*/*_instanceIds.png")):
        instances = read(path).astype(int)
        ids = read(str(path).replace("instanceIds", "labelIds"))
        np.testing.assert_array_equal(
            np.where(instances >= 1000, instances // 1000, instances), ids
        )
        numbered = np.unique(instances[instances >= 1000] // 1000)
        assert all(id2label[int(i)].hasInstances for i in numbered)


def test_several_instances_that_cover_each_other(scenes):
    car = name2label["car"].id
    most, covered = 0, 0
    for path in scenes.glob("gtFine/train/*/*_instanceIds.png"):
        drawn = json.loads(
            path.with_name(path.name.replace("instanceIds.png", "polygons.json")).read_text()
        )
        cars = [o for o in drawn["objects"] if o["label"] == "car"]
        values, counts = np.unique(read(path), return_counts=True)
        visible = dict(zip(values.tolist(), counts.tolist(), strict=True))
        most = max(most, sum(value // 1000 == car for value in visible))
        for k, entry in enumerate(cars):
            alone = Image.new("L", (256, 128))
            ImageDraw.Draw(alone).polygon([tuple(p) for p in entry["polygon"]], fill=1)
            covered += visible.get(car * 1000 + k, 0) < np.asarray(alone).sum()
    assert most >= 3
    assert covered >= 20


@pytest.mark.parametrize("split", ["train", "val"])
def test_all_classes_occur_with_a_decent_share(scenes, split):
    labels = [read(p) for p in scenes.glob(f"gtFine/{split}/*/*_labelTrainIds.png")]
    share = np.bincount(np.ravel(labels), minlength=256) / np.size(labels)
    assert set(np.flatnonzero(share)) == {*range(19), 255}
    assert share[:19].min() > 0.004
    assert share[255] < 0.2


def test_any_eight_scenes_in_a_row_hold_all_classes():
    for seed in (0, 1):
        for start in (0, 5):
            found = set()
            for index in range(start, start + 8):
                annotation = polygons(compose_scene(seed, "train", index), (128, 256))
                found |= set(np.unique(label_images(annotation)["labelTrainIds"]).tolist())
            assert found >= set(range(19))


def test_ignored_labels_and_groups_occur(scenes):
    labels = set()
    for path in scenes.glob("gtFine/*/*/*_polygons.json"):
        labels |= {entry["label"] for entry in json.loads(path.read_text())["objects"]}
    assert labels >= {
        "ego vehicle", "license plate", "static", "dynamic", "ground", "parking", "rail track",
        "guard rail", "bridge", "cargroup", "persongroup",
    }  # fmt: skip


def test_polygons_lie_in_the_image(scenes):
    for path in scenes.glob("gtFine/train/*/*_polygons.json"):
        annotation = json.loads(path.read_text())
        assert (annotation["imgHeight"], annotation["imgWidth"]) == (128, 256)
        corners = np.concatenate([entry["polygon"] for entry in annotation["objects"]])
        assert corners.min() >= 0
        assert tuple(corners.max(axis=0)) == (255, 127)


def test_size_scales_the_scene():
    scene = compose_scene(0, "train", 2)
    small_, large = polygons(scene, (64, 128)), polygons(scene, (256, 512))
    assert paint(scene, (256, 512)).shape == (256, 512, 3)
    labels = [{entry["label"] for entry in a["objects"]} for a in (small_, large)]
    assert labels[0] <= labels[1]
    one, two = (next(o for o in a["objects"] if o["label"] == "pole") for a in (small_, large))
    assert np.abs(np.array(two["polygon"]) / 4 - np.array(one["polygon"])).max() <= 0.75


# ------------------------------------------------------------------------------------- determinism


def test_same_seed_same_bytes(tmp_path):
    one, two = small(tmp_path / "one"), small(tmp_path / "two")
    assert digests(one) == digests(two)


def test_other_seed_other_images(tmp_path):
    one, two = digests(small(tmp_path / "one")), digests(small(tmp_path / "two", seed=1))
    assert one.keys() == two.keys()
    images = [name for name in one if name.startswith("leftImg8bit")]
    assert len(images) == 6
    assert all(one[name] != two[name] for name in images)


def test_a_larger_set_contains_the_smaller(tmp_path):
    one, two = digests(small(tmp_path / "one")), digests(small(tmp_path / "two", num_train=5))
    del one[MARKER]
    assert one.items() <= two.items()


def test_splits_differ(tmp_path):
    root = small(tmp_path / "data")
    first = [next((root / "leftImg8bit" / s).rglob("*_000000_*")) for s in ("train", "val", "test")]
    assert len({path.read_bytes() for path in first}) == 3


# -------------------------------------------------------------------------- repeated, interrupted


def test_repeated_call_touches_nothing(tmp_path):
    root = small(tmp_path / "data")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    small(root)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_interrupted_run_goes_on(tmp_path, monkeypatch):
    whole = digests(small(tmp_path / "whole"))
    calls = []

    def stop_at_third(scene, size):
        calls.append(size)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return paint(scene, size)

    monkeypatch.setattr(writer, "paint", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path / "data")
    assert json.loads((tmp_path / "data" / MARKER).read_text())["complete"] is False
    small(tmp_path / "data")
    assert len(calls) == 3 + 4  # the two finished ones are not painted again
    assert digests(tmp_path / "data") == whole


def test_other_settings_are_refused_and_overwritten(tmp_path):
    root = small(tmp_path / "data", num_train=5)
    with pytest.raises(GloReSegError, match=r"other settings.*--overwrite"):
        small(root)
    small(root, overwrite=True)
    assert digests(root) == digests(small(tmp_path / "fresh"))


def test_foreign_folder_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(GloReSegError, match="holds files that are no street scenes"):
            small(tmp_path, overwrite=overwrite)
    with pytest.raises(GloReSegError, match="is a file; expected a folder"):
        small(tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_spoilt_marker_is_refused(tmp_path):
    root = small(tmp_path / "data")
    (root / MARKER).write_text("{")
    with pytest.raises(GloReSegError, match="other settings: None"):
        small(root)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_train": -1}, "num_train is -1; expected 0 or more"),
        ({"size": (16, 32)}, r"size is \(16, 32\); expected height and width of 32 to 4096"),
        ({"size": (128, 64)}, r"size is 128 x 64 \(height x width\); expected a width of 1 to 4"),
        ({"seed": -3}, "seed is -3; expected 0 or more"),
    ],
)
def test_bad_settings(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        small(tmp_path / "data", **options)


def test_bad_scene_arguments():
    with pytest.raises(ValueError, match="split is 'dev'; expected one of"):
        compose_scene(0, "dev", 0)
    with pytest.raises(ValueError, match="at least 0; got seed 0, index -1"):
        compose_scene(0, "train", -1)
    with pytest.raises(ValueError, match=r"width over height is 5; expected 1 to 4"):
        compose_scene(0, "train", 0, width=5)


# ------------------------------------------------------------------------------------------- shapes


def test_clip():
    square = clip(box(-1, -1, 3, 1), 2, 2)
    assert sorted(map(tuple, square.tolist())) == [(0, 0), (0, 1), (2, 0), (2, 1)]
    assert clip(box(5, 5, 6, 6), 2, 2).shape == (0, 2)
    triangle = clip(points((0, 0), (4, 0), (0, 4)), 2, 9)
    assert sorted(map(tuple, triangle.tolist())) == [(0, 0), (0, 4), (2, 0), (2, 2)]
