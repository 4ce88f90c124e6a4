import time
from pathlib import Path

import numpy as np
import pytest
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from glore_seg.datasets import LoadCheckedAnnotations
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


def test_one_value_more_with_reduce_zero_label(item):
    label = ramp(0, 19, 255)
    found = LoadCheckedAnnotations()(item(label, reduce_zero_label=True))
    assert found["gt_seg_map"][0].tolist() == [255, 18, 255]


def test_values_are_checked_before_they_are_mapped(item):
    label_map = dict.fromkeys(range(5), 0)
    load = LoadCheckedAnnotations(num_classes=19)
    assert load(item(ramp(4), label_map=label_map))["gt_seg_map"].max() == 0
    with pytest.raises(ValueError, match=r"holds \[5\]; expected class indices 0 to 4 and 255"):
        load(item(ramp(4, 5), label_map=label_map))


def test_class_index_out_of_range(item):
    with pytest.raises(ValueError, match=r"labelTrainIds\.png holds \[3, 77\]; expected.* 0 to 2"):
        LoadCheckedAnnotations(num_classes=3)(item(ramp(0, 3, 77, 255)))


def test_label_ids_are_recognised(item):
    with pytest.raises(ValueError, match=r"holds \[23, 26\].*look like labelIds.*cityscapes\.py"):
        LoadCheckedAnnotations()(item(ramp(7, 23, 26)))


def test_other_ignore_index(item):
    load = LoadCheckedAnnotations(ignore_index=200)
    assert load(item(ramp(3, 200)))["gt_seg_map"].max() == 200
    with pytest.raises(ValueError, match=r"holds \[255\]; expected .* and 200"):
        load(item(ramp(3, 255)))


def test_color_image(item):
    with pytest.raises(ValueError, match=r"is a color image of shape \(4, 5, 3\)"):
        LoadCheckedAnnotations()(item(np.zeros((4, 5, 3), np.uint8)))


def test_palette_image(item):
    with pytest.raises(ValueError, match="is a palette image; expected one channel"):
        LoadCheckedAnnotations()(item(Image.new("P", (5, 4))))


def test_instance_image(item):
    with pytest.raises(ValueError, match=r"holds uint16; expected 8-bit class indices"):
        LoadCheckedAnnotations()(item(np.full((4, 5), 26001, np.uint16)))


def test_size_of_the_image(item):
    label = np.zeros((4, 5), np.uint8)
    # resized for testing already: the size as loaded counts
    LoadCheckedAnnotations()(item(label, ori_shape=(4, 5), img_shape=(8, 10)))
    message = r"labelTrainIds\.png is 4 x 5 but its image x_leftImg8bit\.png is 8 x 10"
    with pytest.raises(ValueError, match=message):
        LoadCheckedAnnotations()(item(label, ori_shape=(8, 10)))


def test_unreadable_and_missing(item, tmp_path):
    results = item(ramp(0))
    (tmp_path / "x_gtFine_labelTrainIds.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="cannot be read as an image"):
        LoadCheckedAnnotations()(results)
    del results["seg_map_path"]
    with pytest.raises(ValueError, match=r"x_leftImg8bit\.png has no label: leave"):
        LoadCheckedAnnotations()(results)


def test_an_image_of_no_data_set_has_no_label():
    results = {"img_path": "street.png", "ori_shape": (4, 5)}
    assert LoadCheckedAnnotations()(dict(results)) == results


def test_arguments():
    with pytest.raises(ValueError, match="num_classes is 0; expected 1 to 255"):
        LoadCheckedAnnotations(num_classes=0)
    with pytest.raises(ValueError, match="ignore_index is 256; expected 0 to 255"):
        LoadCheckedAnnotations(ignore_index=256)
    with pytest.raises(TypeError):
        LoadCheckedAnnotations(19)
    assert repr(LoadCheckedAnnotations(num_classes=11)).startswith(
        "LoadCheckedAnnotations(num_classes=11, ignore_index=255, "
    )


def test_reduce_zero_label_must_agree(item):
    with pytest.warns(UserWarning, match="reduce_zero_label"):
        load = LoadCheckedAnnotations(reduce_zero_label=True)
    with pytest.raises(ValueError, match="reduce_zero_label is True here and False in the data"):
        load(item(ramp(0)))


def test_check_is_cheap():
    label = np.random.default_rng(0).integers(0, 19, (1024, 2048), np.uint8)
    load, seconds = LoadCheckedAnnotations(), []
    for _ in range(20):
        start = time.perf_counter()
        load.check_values(label, {})
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.02  # about 1 ms where nothing else runs


@pytest.mark.parametrize("backend", ["pillow", "cv2"])
def test_a_header_that_declares_gigabytes_is_not_unpacked(item, backend):
    place = item(ramp(1, 2))
    path = Path(place["seg_map_path"])
    path.write_bytes(declared(path.read_bytes(), 30_000, 30_000))
    load = LoadCheckedAnnotations(imdecode_backend=backend)
    with pytest.raises(ValueError, match=r"labelTrainIds\.png declares 900000000 pixels; expected"):
        load.read(place)
    with pytest.raises(ValueError, match=r"is 30000 x 30000 but its image .* is 3 x 2"):
        load.read({**place, "ori_shape": (3, 2, 3)})


def test_whatever_a_decoder_stumbles_over(item):
    path = Path(item(ramp(1, 2), name="a.tif")["seg_map_path"])
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"a\.tif cannot be read as an image \(.*make it again"):
        LoadCheckedAnnotations().read({"seg_map_path": str(path)})
