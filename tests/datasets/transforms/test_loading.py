from pathlib import Path

import numpy as np
import pytest
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from glore_seg.datasets import LoadCheckedAnnotations
from glore_seg.errors import ConfigError, DataError
from tests.png_headers import declared


@pytest.fixture
def item(tmp_path):
    def make(label, name="x_gtFine_labelTrainIds.png", **changes):
        path = tmp_path / name
        (label if isinstance(label, Image.Image) else Image.fromarray(label)).save(path)
        results = {
            "seg_map_path": str(path),
            "img_path": "x_leftImg8bit.png",
            "reduce_zero_label": False,
            "label_map": None,
            "seg_fields": [],
        }
        return {**results, **changes}

    return make


def ramp(*values):
    return np.array(values, np.uint8).reshape(1, -1).repeat(3, axis=0)


@pytest.mark.parametrize("reduce_zero", [False, True])
@pytest.mark.parametrize("subset", [False, True])
def test_equals_mmseg(item, reduce_zero, subset):
    label = ramp(*range(19), 255)
    label_map = {old: (old // 2 if old % 2 else 255) for old in range(19)} if subset else None
    changes = {"reduce_zero_label": reduce_zero, "label_map": label_map}
    expected = LoadAnnotations()(item(label, **changes))
    found = LoadCheckedAnnotations()(item(label, **changes))
    assert found["gt_seg_map"].dtype == np.uint8
    np.testing.assert_array_equal(found["gt_seg_map"], expected["gt_seg_map"])
    assert found["seg_fields"] == ["gt_seg_map"]


def test_reduce_zero_label_and_ignore_index(item):
    label = ramp(0, 19, 255)
    load = LoadCheckedAnnotations(ignore_index=200)
    assert load(item(ramp(3, 200)))["gt_seg_map"].max() == 200
    found = LoadCheckedAnnotations()(item(label, reduce_zero_label=True))
    assert found["gt_seg_map"][0].tolist() == [255, 18, 255]


def test_values_are_checked_before_they_are_mapped(item):
    label_map = dict.fromkeys(range(5), 0)
    load = LoadCheckedAnnotations(num_classes=19)
    assert load(item(ramp(4), label_map=label_map))["gt_seg_map"].max() == 0
    with pytest.raises(DataError, match=r"holds \[5\]; expected class indices 0 to 4 and 255"):
        load(item(ramp(4, 5), label_map=label_map))


@pytest.mark.parametrize(
    ("label", "options", "message"),
    [
        (ramp(0, 3, 77, 255), {"num_classes": 3}, r"labelTrainIds\.png holds \[3, 77\]; .* 0 to 2"),
        (ramp(7, 23, 26), {}, r"holds \[23, 26\].*look like label ids.*cityscapes\.py"),
        (ramp(3, 255), {"ignore_index": 200}, r"holds \[255\]; expected .* and 200"),
        (np.arange(60, dtype=np.uint8).reshape(4, 5, 3), {}, r"color image of shape \(4, 5, 3\)"),
        (Image.new("LA", (5, 4)), {}, r"channels, equal or alpha.*converters/labels\.py"),
        (Image.new("1", (5, 4)), {}, r"has 1 bits per pixel.*converters/labels\.py"),
        (np.full((4, 5), 26001, np.uint16), {}, "holds uint16 up to 26001; expected 8-bit"),
    ],
)
@pytest.mark.parametrize("backend", ["pillow", "cv2"])
def test_rejects_labels(item, label, options, message, backend):
    load = LoadCheckedAnnotations(imdecode_backend=backend, **options)
    with pytest.raises(DataError, match=message):
        load(item(label))


@pytest.mark.parametrize("backend", ["pillow", "cv2"])
def test_reads_the_indices_of_a_palette(item, backend):
    label = Image.fromarray(ramp(0, 1, 2, 255), mode="P")
    label.putpalette(list(range(256)) * 3)
    found = LoadCheckedAnnotations(num_classes=3, imdecode_backend=backend)(item(label))
    np.testing.assert_array_equal(found["gt_seg_map"], ramp(0, 1, 2, 255))


def test_rejects_another_size_than_the_image(item):
    label = np.zeros((4, 5), np.uint8)
    # resized for testing already: the size as loaded counts
    LoadCheckedAnnotations()(item(label, ori_shape=(4, 5), img_shape=(8, 10)))
    message = r"labelTrainIds\.png is 4 x 5 but its image x_leftImg8bit\.png is 8 x 10"
    with pytest.raises(DataError, match=message):
        LoadCheckedAnnotations()(item(label, ori_shape=(8, 10)))


@pytest.mark.parametrize("backend", ["pillow", "cv2"])
def test_rejects_unreadable_and_missing_files(item, backend):
    results = item(ramp(1, 2))
    path, load = Path(results["seg_map_path"]), LoadCheckedAnnotations(imdecode_backend=backend)
    path.write_bytes(declared(path.read_bytes(), 30_000, 30_000))
    with pytest.raises(DataError, match=r"labelTrainIds\.png declares more than \d+ pixels"):
        load(results)
    path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"labelTrainIds\.png cannot be read as an image"):
        load(results)
    del results["seg_map_path"]
    with pytest.raises(ConfigError, match=r"x_leftImg8bit\.png has no label"):
        load(results)


def test_an_image_without_dataset_has_no_label():
    results = {"img_path": "street.png", "ori_shape": (4, 5)}
    assert LoadCheckedAnnotations()(dict(results)) == results


@pytest.mark.parametrize("option", [{"num_classes": 0}, {"ignore_index": 256}])
def test_rejects_options(option):
    with pytest.raises(ConfigError, match=next(iter(option))):
        LoadCheckedAnnotations(**option)
