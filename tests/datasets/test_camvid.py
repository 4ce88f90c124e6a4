import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from cityscapesscripts.helpers.csHelpers import getCsFileInfo
from cityscapesscripts.helpers.labels import name2label

from glore_seg.datasets import CAMVID_CLASSES, check_cityscapes, convert_camvid
from glore_seg.datasets.camvid import cityscapes_name
from glore_seg.errors import DataError

REAL = Path(os.environ.get("GLORE_CAMVID", Path(__file__).parents[2].parent / "shared" / "camvid"))
EXPECTED = (
    "sky", "building", "pole", "road", "sidewalk", "vegetation", "traffic sign", "fence", "car",
    "person", "rider", "unlabeled",
)  # fmt: skip


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_converted_to_the_layout_of_cityscapes(camvid, tmp_path):
    out = tmp_path / "out"
    assert convert_camvid(camvid, out, progress=False) == {"train": 2, "val": 1}
    assert len(list(out.rglob("*.*"))) == 9
    assert check_cityscapes(out, allow_incomplete=True).problems == []
    name = "val/camvid0016e5/camvid0016e5_000000_007959"
    assert getCsFileInfo(f"{name}_gtFine_labelIds.png").city == "camvid0016e5"
    np.testing.assert_array_equal(
        read(out / f"leftImg8bit/{name}_leftImg8bit.png"),
        read(camvid / "images/val/0016E5_07959.jpg"),
    )
    source = read(camvid / "labels/val/0016E5_07959.png")
    for kind, field in (("labelIds", "id"), ("labelTrainIds", "trainId")):
        ids = np.array([getattr(name2label[label], field) for label in EXPECTED])
        np.testing.assert_array_equal(read(out / f"gtFine/{name}_gtFine_{kind}.png"), ids[source])


def test_classes_are_in_the_order_of_cityscapes():
    order = [name2label[name].trainId for name in CAMVID_CLASSES]
    assert order == sorted(order)
    assert set(CAMVID_CLASSES) == set(EXPECTED) - {"unlabeled"}


def test_resumes(camvid, tmp_path):
    convert_camvid(camvid, tmp_path / "out", progress=False)
    first, *others = sorted((tmp_path / "out").rglob("*_leftImg8bit.png"))
    first.unlink()
    before = {path: path.stat().st_mtime_ns for path in others}
    convert_camvid(camvid, tmp_path / "out", progress=False)
    assert first.is_file()
    assert {path: path.stat().st_mtime_ns for path in others} == before


def test_names():
    assert cityscapes_name("0001TP_006690") == "camvid0001tp_000000_006690"
    assert cityscapes_name("0006R0_f00930") == "camvid0006r0_000000_000930"
    with pytest.raises(DataError, match="'holiday'; expected VIDEO_FRAME"):
        cityscapes_name("holiday")


def test_rejects_missing_folders_and_unpaired_files(camvid, tmp_path):
    with pytest.raises(DataError, match=r"no \.jpg image in .*images/train"):
        convert_camvid(tmp_path / "none", tmp_path / "out", progress=False)
    label = camvid / "labels/train/0001TP_006690.png"
    spare = label.rename(tmp_path / label.name)
    with pytest.raises(DataError, match=r"1 names in train .* such as 0001TP_006690"):
        convert_camvid(camvid, tmp_path / "out", progress=False)
    spare.rename(label)
    (camvid / "images/train/0001TP_006690.jpg").unlink()
    with pytest.raises(DataError, match=r"1 names in train .* such as 0001TP_006690"):
        convert_camvid(camvid, tmp_path / "out", progress=False)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (
            np.full((12, 16), 12, np.uint8),
            r"6690\.png holds \[12\]; expected .* 0 to 10 and 11",
        ),
        (np.zeros((10, 16), np.uint8), "is 10 x 16 but its image .* is 12 x 16"),
        (np.uint8([[[1, 2, 3]] * 16] * 12), r"color image of shape \(12, 16, 3\)"),
        (np.zeros((12, 16, 3), np.uint8), "has 3 channels, equal"),
        (np.zeros((12, 16), np.uint16), "holds uint16"),
    ],
)
def test_rejects_labels(camvid, tmp_path, label, message):
    assert cv2.imwrite(str(camvid / "labels/train/0001TP_006690.png"), label)
    with pytest.raises(DataError, match=message):
        convert_camvid(camvid, tmp_path / "out", progress=False)
    assert not list((tmp_path / "out").rglob("*"))


def test_rejects_corrupted_files(camvid, tmp_path):
    (camvid / "images/train/0001TP_006690.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"0001TP_006690\.jpg cannot be read as an image"):
        convert_camvid(camvid, tmp_path / "out", progress=False)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"CamVid is not at {REAL}; set GLORE_CAMVID")
def test_real_images(tmp_path):
    few = tmp_path / "few"
    for split in ("train", "val"):
        for kind, suffix in (("images", ".jpg"), ("labels", ".png")):
            (few / kind / split).mkdir(parents=True)
            for path in sorted((REAL / kind / split).glob(f"*{suffix}"))[::25]:
                (few / kind / split / path.name).symlink_to(path)
    counts = convert_camvid(few, tmp_path / "out", progress=False)
    assert counts == {"train": 15, "val": 5}
    values = set()
    for path in (tmp_path / "out").rglob("*_labelTrainIds.png"):
        label = read(path)
        assert label.shape == (360, 480)
        values |= set(np.unique(label).tolist())
    assert values == {name2label[name].trainId for name in CAMVID_CLASSES} | {255}
