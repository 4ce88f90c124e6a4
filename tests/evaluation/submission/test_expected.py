"""The image list of a dataset."""

import pytest

from glore_seg.errors import DataError
from glore_seg.evaluation.submission import ExpectedImages
from tests.evaluation.submission.conftest import KEYS, LABEL_IDS, encode


def write_images(root, names, pixels=LABEL_IDS):
    for name in names:
        path = root / name.split("_")[0] / f"{name}_leftImg8bit.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(pixels))


def test_reads_names_and_sizes_of_a_folder(tmp_path):
    write_images(tmp_path, KEYS[:2])
    write_images(tmp_path, KEYS[2:], LABEL_IDS[:, :5])
    (tmp_path / "bonn" / ".bonn_000009_000019.7.unfinished_leftImg8bit.png").touch()
    expected = ExpectedImages.of_folder(tmp_path, "test")
    assert expected.sizes == {KEYS[0]: (16, 8), KEYS[1]: (16, 8), KEYS[2]: (5, 8)}


def test_finds_ground_truth(street_scenes, tmp_path):
    val = ExpectedImages.of_folder(street_scenes / "leftImg8bit" / "val", "val")
    assert set(val.sizes.values()) == {(128, 64)}
    found = val.ground_truth(street_scenes)
    assert set(found) >= set(val.sizes)
    assert all(path.is_file() for path in found.values())
    assert val.ground_truth(tmp_path) is None
    assert ExpectedImages("test", val.sizes).ground_truth(street_scenes) is None
    more = ExpectedImages("val", {**val.sizes, "ulm_000000_000019": (8, 8)})
    with pytest.raises(DataError, match=r"1 of 3 images .*ulm_000000_000019"):
        more.ground_truth(street_scenes)


def test_rejects_other_folders(tmp_path):
    with pytest.raises(DataError, match=r"leftImg8bit\.png in .*none"):
        ExpectedImages.of_folder(tmp_path / "none", "test")
    write_images(tmp_path, ["a"])
    with pytest.raises(DataError, match="a_leftImg8bit"):
        ExpectedImages.of_folder(tmp_path, "test")
    file = tmp_path / "a_000000_000000_leftImg8bit.png"
    (tmp_path / "a" / "a_leftImg8bit.png").rename(file)
    file.write_bytes(b"JFIF")
    with pytest.raises(DataError, match="a_000000_000000"):
        ExpectedImages.of_folder(tmp_path, "test")
