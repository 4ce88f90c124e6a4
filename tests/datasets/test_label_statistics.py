"""Labels of legal values and wrong meaning are told before training, and others are not."""

import re
import time

import numpy as np
import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmseg.datasets import ADE20KDataset
from PIL import Image

from glore_seg.datasets.label_statistics import count_labels, find_problems
from glore_seg.errors import DataError
from tests.datasets.label_folders import IMAGE, LABEL, PACK, build, write
from tests.datasets.packed.crops import build as build_crops

CHECKED = {"type": "LoadCheckedAnnotations", "num_classes": 3}
REDUCED = {"reduce_zero_label": True}


def judge(dataset, classes="abc", **options):
    return find_problems(count_labels(dataset, list(classes), **options), "training")


@pytest.mark.parametrize(
    ("labels", "classes", "options"),
    [
        ([[0, 1, 2], [0, 1, 2, 255]], "abc", {}),
        ([[0, 1], [0]], "ab", {}),  # binary
        ([[1, 1, 1, 0, 2, 3], [1, 2]], "abc", REDUCED),  # ADE20K
        ([[0, 1, 2]], "abc", {"pipeline": (IMAGE, CHECKED, PACK)}),
    ],
)
def test_nothing_is_said_of_usual_labels(tmp_path, labels, classes, options):
    assert judge(build(write(tmp_path, labels), classes, **options), classes) == (None, [])


@pytest.mark.parametrize(
    ("labels", "classes", "options", "ignored", "value"),
    [
        ([[0, 255], [0]], "ab", {}, [], r"0 \(75.0%\), 255 \(25.0%\).*If 255 is 'b'.*--map 255=1"),
        ([[255]], "abc", {}, [], r"255 \(100.0%\).*all of them are ignored"),
        ([[0], [255]], "ab", REDUCED, [], "ignored.*reduce_zero_label"),
        ([[1], [1]], "ab", {}, [1], r"1 \(100.0%\).*ignore_index"),
    ],
)
def test_nothing_to_learn(tmp_path, labels, classes, options, ignored, value):
    dataset = build(write(tmp_path, labels), classes, **options)
    useless, warnings = judge(dataset, classes, ignored=ignored)
    assert re.search(value, useless)
    assert warnings == []


@pytest.mark.parametrize(
    ("labels", "classes", "options", "ignored", "values"),
    [
        ([[0, 1]], "abc", {}, [], ["all 1 label maps of training have no pixel of c, and 0"]),
        ([[0, 1, 255, 255]], "abc", {}, [], ["no pixel of c, and 50.0% of their"]),
        ([[0, 255]], "abc", {}, [], ["no pixel of b, c"]),
        ([[1, 2]], "abc", {}, [], ["no pixel of a"]),  # counted from 1
        ([[0, 1, 2]], "abc", {}, [0], ["no pixel of a"]),
        ([[0, 0, 1, 2]], "abc", REDUCED, [], ["ignores 0.*If 0 is 'a'", "no pixel of c"]),
        ([[0, 0, 1, 2]], "ab", REDUCED, [], ["ignores 0, the most frequent"]),
    ],
)
def test_warnings(tmp_path, labels, classes, options, ignored, values):
    dataset = build(write(tmp_path, labels), classes, **options)
    useless, warnings = judge(dataset, classes, ignored=ignored)
    assert useless is None
    assert len(warnings) == len(values)
    assert all(map(re.search, values, warnings))


def test_one_class_by_its_sign(tmp_path):
    assert judge(build(write(tmp_path, [[0, 1]]), "a"), "a") == (None, [])
    assert "If 255 is 'a'" in judge(build(write(tmp_path, [[0, 255]]), "a"), "a")[0]


def test_a_subset_of_classes_that_leaves_nothing(tmp_path):
    write(tmp_path, [[4], [4]])
    dataset = ADE20KDataset(
        data_root=str(tmp_path),
        data_prefix={"img_path": "images", "seg_map_path": "labels"},
        metainfo={"classes": ("wall", "building")},
        pipeline=[IMAGE, LABEL, PACK],
    )
    assert "4 (100.0%), and all of them are ignored" in judge(dataset, ["wall", "building"])[0]


def test_jpeg_labels(tmp_path):
    write(tmp_path, [[0, 1, 2]])
    label = np.repeat(np.array([[0, 1, 2, 2]], np.uint8), 8, axis=0)
    Image.fromarray(label).save(tmp_path / "labels/000.jpg", quality=100)
    _, warnings = judge(build(tmp_path, "abcdefgh", seg_map_suffix=".jpg"), "abcdefgh")
    assert "labels/000.jpg: JPEG" in warnings[-1]


def test_unknown_values_name_the_file(tmp_path):
    with pytest.raises(
        DataError, match=r"labels/001\.png gives the classes \[3\]; expected 0 to 2"
    ):
        judge(build(write(tmp_path, [[0], [0, 3], [0]])))


def test_a_sample_is_no_proof(tmp_path):
    useless, warnings = judge(build(write(tmp_path, [[0, 1]] * 5), "abc"), sample=2)
    assert useless is None
    assert re.search("a sample of 2 of 5 .* no pixel of c.*class_balance.py counts all", *warnings)


def test_a_second_class_is_searched_for_beyond_the_sample(tmp_path):
    write(tmp_path, [[0, 255]] * 7)
    assert "all 7 label" in judge(build(tmp_path, "ab"), "ab", sample=2)[0]
    write(tmp_path, [[1]])
    assert judge(build(tmp_path, "ab"), "ab", sample=2) == (None, [])


def test_datasets_in_wrappers(tmp_path):
    dataset = build(write(tmp_path, [[0, 255]]), "ab")
    for wrapped in (RepeatDataset(dataset, 3), ConcatDataset([dataset])):
        assert "255=1" in judge(wrapped, "ab")[0]


def test_crops_are_counted_as_whole_label_maps(street_scenes):
    dataset = build_crops(street_scenes)
    found = count_labels(dataset, dataset.metainfo["classes"])
    files = sorted(street_scenes.glob("gtFine/train/*/*_labelTrainIds.png"))
    stored = np.concatenate([np.asarray(Image.open(file)) for file in files])
    assert found.stored.tolist() == np.bincount(stored.ravel(), minlength=256).tolist()
    assert found.balance.num_images == found.total == 8


def remap(results):
    results["gt_seg_map"][results["gt_seg_map"] == 255] = 1
    return results


def test_unknown_transforms_may_change_classes(tmp_path):
    dataset = build(write(tmp_path, [[0, 255]]), "ab", pipeline=(IMAGE, LABEL, remap, PACK))
    assert count_labels(dataset, "ab") is None
    assert count_labels(build(tmp_path, "ab", pipeline=(IMAGE, PACK)), "ab") is None
    assert count_labels([1, 2], "ab") is None


def test_corrupted_files_are_left_to_the_loader(tmp_path):
    root = write(tmp_path, [[0, 1, 2]] * 3)
    (root / "labels/001.png").write_bytes(b"corrupted")
    assert count_labels(build(root), "abc").balance.num_images == 2


def test_counts_are_kept_and_renewed(tmp_path, monkeypatch):
    root, cache = write(tmp_path, [[0, 1]] * 4), tmp_path / "work_dir/counts.json"
    first = count_labels(build(root), "abc", cache=cache)
    state = np.random.get_state()[1].tolist()
    with monkeypatch.context() as patch:
        patch.setattr("glore_seg.datasets.label_statistics.read_bytes", None)
        again = count_labels(build(root), "abc", cache=cache)
    assert again.balance.pixels.tolist() == first.balance.pixels.tolist() == [128, 128, 0]
    assert np.random.get_state()[1].tolist() == state
    write(root, [[2, 2, 2]])  # of another time
    assert count_labels(build(root), "abc", cache=cache).balance.pixels.tolist() == [96, 96, 64]
    cache.write_text("{")  # of a killed process, as if it could be
    assert count_labels(build(root), "abc", cache=cache).balance.num_images == 4


@pytest.mark.slow
def test_three_thousand_images_take_less_than_two_seconds(tmp_path):
    root = write(tmp_path, [[0, 1, 2]] * 3000)
    dataset, cache = build(root), tmp_path / "counts.json"
    count_labels(dataset, "abc", cache=cache)
    start = time.perf_counter()
    count_labels(dataset, "abc", cache=cache)
    assert time.perf_counter() - start < 2
