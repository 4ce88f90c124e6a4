"""The image list of a dataset."""

import pytest

from glore_seg.errors import GloReSegError
from glore_seg.evaluation.submission import ExpectedImages, check_submission
from glore_seg.evaluation.submission.expected import CITYSCAPES_TEST_CITIES
from tests.evaluation.submission.conftest import KEYS, LABEL_IDS, encode, write_zip


def write_images(root, names, pixels=LABEL_IDS):
    for name in names:
        path = root / name.split("_")[0] / f"{name}_leftImg8bit.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(pixels))
    return root


def test_names_and_sizes_of_a_folder(tmp_path):
    write_images(tmp_path, KEYS[:2])
    write_images(tmp_path, KEYS[2:], LABEL_IDS[:, :5])
    (tmp_path / "bonn" / ".bonn_000009_000019.7.unfinished_leftImg8bit.png").touch()
    expected = ExpectedImages.of_folder(tmp_path, "test")
    assert expected.sizes == {KEYS[0]: (16, 8), KEYS[1]: (16, 8), KEYS[2]: (5, 8)}
    assert expected.counts == {"berlin": 2, "bonn": 1}
    assert (expected.total, expected.largest) == (3, (16, 8))
    assert KEYS[0] in expected
    assert "berlin_000002_000019" not in expected


def test_street_scenes(street_scenes):
    expected = ExpectedImages.of_folder(street_scenes / "leftImg8bit" / "val", "val")
    assert expected.total == 2
    assert set(expected.sizes.values()) == {(128, 64)}


def test_refused_folders(tmp_path):
    with pytest.raises(GloReSegError, match=r"no \*_leftImg8bit\.png in .*none or below"):
        ExpectedImages.of_folder(tmp_path / "none", "test")
    write_images(tmp_path, ["a"])
    with pytest.raises(ValueError, match=r"is not named CITY_123456_123456_leftImg8bit\.png"):
        ExpectedImages.of_folder(tmp_path, "test")
    (tmp_path / "a" / "a_leftImg8bit.png").rename(tmp_path / "a_000000_000000_leftImg8bit.png")
    (tmp_path / "a_000000_000000_leftImg8bit.png").write_bytes(b"JFIF")
    with pytest.raises(
        ValueError, match=r"is no PNG \(it begins with b'JFIF'\): unpack the dataset"
    ):
        ExpectedImages.of_folder(tmp_path, "test")


def test_a_copy_of_cityscapes_that_lacks_images(tmp_path):
    sizes = {f"berlin_{i:06d}_000019": (2048, 1024) for i in range(3)}
    path = write_zip(tmp_path / "results.zip", {})
    cases = (
        (ExpectedImages("test", {"berlin": 3}, sizes), True),
        (ExpectedImages("test", CITYSCAPES_TEST_CITIES, sizes), False),
        (ExpectedImages("test", {"berlin": 3}, dict.fromkeys(sizes, (64, 32))), False),
        (ExpectedImages("val", {"berlin": 3}, sizes), False),
    )
    for expected, warns in cases:
        warnings = check_submission(path, expected, progress=False).warnings
        assert [warning.kind for warning in warnings] == ["dataset"] * warns
    first = check_submission(path, cases[0][0], progress=False).warnings[0]
    assert "its test split has other counts (berlin 3 of 544, bielefeld 0 of 181" in first.message
