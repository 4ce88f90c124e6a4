"""One error of names, completeness or image content at a time."""

import numpy as np
import pytest

from glore_seg.errors import DataError
from glore_seg.evaluation.submission import ExpectedImages, check_submission, image_key
from tests.evaluation.submission.conftest import (
    FIRST,
    KEYS,
    LABEL_IDS,
    encode,
    good_files,
    with_first,
    write_zip,
)
from tests.png_headers import declared


def test_accepts_a_correct_submission(report):
    found = report(good_files())
    assert found.lines() == ["no errors in 3 images"]
    assert (found.checked, found.errors, found.warnings) == (3, [], [])


def test_accepts_names_that_the_server_accepts(check):
    data = encode(LABEL_IDS)
    names = (f"{KEYS[0]}_leftImg8bit.png", f"results/berlin/{KEYS[1]}.png", f"{KEYS[2]}*pred.png")
    assert check(dict.fromkeys(names, data)) == []
    assert image_key("berlin_00001_000019.png") is None


def test_checks_folders(check, tmp_path):
    folder = tmp_path / "images"
    (folder / "berlin").mkdir(parents=True)
    for name, data in good_files().items():
        (folder / "berlin" / name).write_bytes(data)
    assert check(folder) == []
    (folder / f"{KEYS[2]}.png").symlink_to(folder / "berlin" / f"{KEYS[2]}.png")
    (folder / "linked").symlink_to(folder / "berlin")
    (folder / ".hidden.png").touch()
    assert check(folder) == [
        ("extra", ".hidden.png"),
        ("unsafe", f"{KEYS[2]}.png"),
        ("unsafe", "linked"),
        ("duplicate", f"berlin/{KEYS[2]}.png"),
    ]


def test_rejects_a_missing_path(report, tmp_path):
    with pytest.raises(DataError, match=r"none\.zip"):
        report(tmp_path / "none.zip")


def test_names_duplicates(check):
    names = (f"again/{FIRST}", f"{KEYS[0]}_color.png")
    assert check({**good_files(), **dict.fromkeys(names, encode(LABEL_IDS))}) == [
        ("duplicate", name) for name in names
    ]


@pytest.mark.parametrize(
    "name", ["__MACOSX/._berlin_000000_000019.png", "more.zip", "frankfurt_000000_000294.png"]
)
def test_names_extra_files(check, name):
    assert check({**good_files(), name: b"something"}) == [("extra", name)]


@pytest.mark.parametrize("name", ["pred_{}.png", "{}.PNG", "{}.jpg", "{}.png.bak"])
def test_rejects_names_that_the_server_does_not_find(check, name):
    files = good_files()
    files[name.format(KEYS[0])] = files.pop(FIRST)
    assert check(files) == [("name", name.format(KEYS[0]))]


def test_names_missing_images_and_a_png_that_names_none(check):
    files = good_files()
    files["0001.png"] = files.pop(FIRST)
    assert check(files) == [("name", "0001.png"), ("missing", KEYS[0])]


@pytest.mark.parametrize("shape", [(16, 8), (4, 8), (9, 16), (1024, 2048)])
def test_rejects_other_sizes(report, shape):
    (error,) = report(with_first(encode(np.full(shape, 7, np.uint8)))).errors
    assert (error.kind, error.name) == ("size", FIRST)
    assert f"{shape[1]} x {shape[0]}" in error.message
    assert "16 x 8" in error.message


GRAY = LABEL_IDS[..., None]


@pytest.mark.parametrize(
    "data",
    [
        encode(LABEL_IDS.astype(np.uint16)),
        encode(LABEL_IDS > 7),
        encode(np.repeat(GRAY, 3, 2)),
        encode(np.repeat(GRAY, 4, 2)),
        encode(np.repeat(GRAY, 2, 2)),
        encode(LABEL_IDS, transparency=7),
        encode(LABEL_IDS, [128, 64, 128] * 256),
    ],
    ids=["16 bit", "1 bit", "color", "alpha", "gray alpha", "transparent", "palette"],
)
def test_rejects_other_modes(check, data):
    assert check(with_first(data)) == [("mode", FIRST)]


def test_accepts_a_gray_palette_with_a_warning(report):
    found = report(with_first(encode(LABEL_IDS, [level for i in range(256) for level in (i,) * 3])))
    assert (found.errors, [warning.kind for warning in found.warnings]) == ([], ["palette"])


@pytest.mark.parametrize(
    ("ids", "kinds"),
    [
        ([7, 7, 11, 17, 13, 12, 8, 7, 7, 7], []),  # a street without sky, trees and cars
        ([0, 2, 10, 13], ["train ids"]),
        ([0, 7, 7, 7, 7, 7, 7, 7, 7, 7], ["train ids"]),
        ([0, 23, 7, 7, 7, 7, 7, 7, 7, 7], []),  # sky as a label id: an ignored id is a warning
        ([0, 13, 13, 255, 13, 8, 8, 8, 8, 8], ["train ids", "unknown ids"]),
        ([7, 34, 23, 26, 26, 26, 26, 26, 26, 26], ["unknown ids"]),
    ],
)
def test_recognizes_train_ids_and_unknown_ids(report, ids, kinds):
    pixels = np.resize(np.array(ids, np.uint8), (8, 16))
    assert [error.kind for error in report(with_first(encode(pixels))).errors] == kinds


def test_warns_of_ids_that_are_not_evaluated(report):
    pixels = LABEL_IDS.copy()
    pixels[0, :4] = 0
    found = report({name: encode(pixels) for name in good_files()})
    assert found.errors == []
    assert [warning.kind for warning in found.warnings] == ["not evaluated"] * 3
    lines = found.lines()
    assert "3.12%" in lines[0]
    assert lines[0].endswith("(and 2 more)")
    assert lines[1] == "no errors in 3 images"


def flip_bit(data, position):
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(60),
        encode(LABEL_IDS)[:-20],
        encode(LABEL_IDS)[:40],
        flip_bit(encode(LABEL_IDS), 45),
        declared(encode(LABEL_IDS), 60_000, 60_000),
    ],
    ids=["empty", "gif", "truncated", "header", "bit", "bomb"],
)
def test_names_corrupted_images(check, data):
    assert check(with_first(data)) == [("corrupted", FIRST)]


def test_reports_all_errors_in_one_run(report):
    found = report(
        {
            FIRST: encode(np.full((4, 8), 7, np.uint8)),
            f"again/{FIRST}": b"",
            f"{KEYS[1]}.png": b"",
            "notes.txt": b"",
        }
    )
    kinds = [error.kind for error in found.errors]
    assert kinds == ["size", "duplicate", "corrupted", "extra", "missing"]
    assert found.lines()[-1] == (
        "5 errors (1 corrupted, 1 duplicate, 1 extra, 1 missing, 1 size); 2 of 3 images read"
    )


@pytest.mark.parametrize(
    ("split", "size", "warns"),
    [("test", (2048, 1024), True), ("test", (64, 32), False), ("val", (2048, 1024), False)],
)
def test_warns_of_an_incomplete_copy_of_cityscapes(path, split, size, warns):
    write_zip(path, {})
    expected = ExpectedImages(split, {f"berlin_{i:06d}_000019": size for i in range(3)})
    warnings = check_submission(path, expected, progress=False).warnings
    assert [warning.kind for warning in warnings] == ["dataset"] * warns
