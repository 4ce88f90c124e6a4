"""Each fault of names, numbers and images, in a submission that has this fault alone."""

import struct
import warnings
import zipfile
import zlib

import numpy as np
import pytest

from glore_seg.errors import GloReSegError
from glore_seg.evaluation.submission import ExpectedImages, check_submission, image_key
from glore_seg.evaluation.submission.expected import CITYSCAPES_TEST_CITIES
from glore_seg.evaluation.submission.png import encode
from tests.evaluation.submission.conftest import (
    KEYS,
    LABEL_IDS,
    good_files,
    png,
    write_zip,
)

FIRST = f"{KEYS[0]}.png"


def with_first(data):
    return {**good_files(), FIRST: data}


def test_a_faultless_submission(check):
    report = check(good_files(), whole=True)
    assert report.lines() == ["no fault in 3 images"]
    assert (report.checked, report.faults, report.warnings) == (3, [], [])


def test_names_as_the_server_takes_them(check):
    data = encode(LABEL_IDS)
    names = (f"{KEYS[0]}_leftImg8bit.png", f"results/berlin/{KEYS[1]}.png", f"{KEYS[2]}*pred.png")
    assert check(dict.fromkeys(names, data)) == []
    assert image_key("berlin_00001_000019.png") is None


def test_folder(check, tmp_path):
    folder = tmp_path / "images"
    (folder / "berlin").mkdir(parents=True)
    for name, data in good_files().items():
        (folder / "berlin" / name).write_bytes(data)
    assert check(path=folder) == []
    (folder / f"{KEYS[2]}.png").symlink_to(folder / "berlin" / f"{KEYS[2]}.png")
    (folder / "linked").symlink_to(folder / "berlin")
    (folder / ".bonn.1.unfinished.png").touch()
    assert [fault[:2] for fault in check(path=folder)] == [
        ("extra", ".bonn.1.unfinished.png"),
        ("hostile", f"{KEYS[2]}.png"),
        ("hostile", "linked"),
        ("doubled", f"berlin/{KEYS[2]}.png"),
    ]


def test_missing(check):
    files = good_files()
    del files[FIRST]
    assert check(files) == [
        ("missing", KEYS[0], f"is missing; expected one {KEYS[0]}*.png: predict it")
    ]


def test_nothing_at_the_path(check, tmp_path):
    with pytest.raises(GloReSegError, match="expected a zip or a folder of images"):
        check(path=tmp_path / "none.zip")


def test_doubled_under_another_folder_and_name(check):
    data = encode(LABEL_IDS)
    found = check({**good_files(), f"again/{FIRST}": data, f"{KEYS[0]}_color.png": data})
    assert [fault[:2] for fault in found] == [
        ("doubled", f"again/{FIRST}"),
        ("doubled", f"{KEYS[0]}_color.png"),
    ]
    assert found[0][2] == (
        f"is a second image for {KEYS[0]} after '{FIRST}'; expected exactly one: remove one of them"
    )


def test_doubled_entry_of_one_name(check, tmp_path):
    path = write_zip(tmp_path / "results.zip", good_files())
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own, of the duplicate name
        archive.writestr(FIRST, encode(LABEL_IDS))
    assert [fault[:2] for fault in check(path=path)] == [("doubled", FIRST)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("__MACOSX/._berlin_000000_000019.png", "is of the operating system"),
        (".DS_Store", "is of the operating system"),
        ("readme.txt", "is no predicted image: remove it"),
        ("frankfurt_000000_000294.png", "is no image of the test split: remove it"),
        ("more.zip", "is an archive within the archive"),
    ],
)
def test_extra(check, name, message):
    ((kind, found, text),) = check({**good_files(), name: b"something"})
    assert (kind, found) == ("extra", name)
    assert message in text


@pytest.mark.parametrize("name", ["pred_{}.png", "{}.PNG", "{}.jpg", "{}.png.bak"])
def test_name_with_the_key_in_it(check, name):
    files = good_files()
    files[name.format(KEYS[0])] = files.pop(FIRST)
    ((kind, found, text),) = check(files)
    assert (kind, found) == ("name", name.format(KEYS[0]))
    assert text == (
        f"is not found by the server; expected {KEYS[0]}*.png: rename it to {KEYS[0]}.png"
    )


def test_name_without_a_key(check):
    files = good_files()
    files["0001.png"] = files.pop(FIRST)
    assert [fault[:2] for fault in check(files)] == [("name", "0001.png"), ("missing", KEYS[0])]


@pytest.mark.parametrize("shape", [(16, 8), (4, 8), (9, 16), (1024, 2048)])
def test_size(check, shape):
    ((kind, name, text),) = check(with_first(encode(np.full(shape, 7, np.uint8))))
    assert (kind, name) == ("size", FIRST)
    height, width = shape
    assert text == (
        f"is {width} x {height} (width x height); expected 16 x 8: predict at full size"
    )


GREY = LABEL_IDS[..., None]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (png(LABEL_IDS.astype(np.uint16)), "has 16 bits a channel"),
        (png(LABEL_IDS > 7), "has 1 bits a channel"),
        (png(np.repeat(GREY, 3, 2)), "is RGB, as a colored image is"),
        (png(np.repeat(GREY, 4, 2)), "is RGB with alpha"),
        (png(np.repeat(GREY, 2, 2)), "is gray with alpha"),
        (png(LABEL_IDS, transparency=7), "has transparency"),
    ],
    ids=["16 bit", "1 bit", "color", "alpha", "gray alpha", "transparent"],
)
def test_mode(check, data, message):
    ((kind, name, text),) = check(with_first(data))
    assert (kind, name) == ("mode", FIRST)
    assert message in text
    assert "expected one gray channel of 8 bits with label ids: " in text


def test_palette(check):
    greys = [level for i in range(256) for level in (i, i, i)]
    report = check(with_first(png(LABEL_IDS, greys)), whole=True)
    assert report.faults == []
    assert report.lines()[0] == (
        f"warning: {FIRST}: has a palette that shows each id as its gray, as mmseg writes it: "
        "accepted"
    )
    ((kind, _, text),) = check(with_first(png(LABEL_IDS, [128, 64, 128] * 256)))
    assert kind == "mode"
    assert "has a palette of colors" in text
    data = png(LABEL_IDS, greys)
    start = data.index(b"PLTE") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    ((kind, name, text),) = check(with_first(data[:start] + data[end:]))
    assert (kind, name) == ("damaged", FIRST)
    assert text.startswith("has no palette (PLTE), though its header says so; expected a whole PNG")


def test_train_ids(check):
    # Road, building, sky and car as train ids.
    train_ids = np.repeat(np.array([0, 2, 10, 13], np.uint8), 32).reshape(8, 16)
    ((kind, name, text),) = check(with_first(encode(train_ids)))
    assert (kind, name) == ("train ids", FIRST)
    assert text == (
        "holds train ids, it seems: no pixel has an id of 19 to 33, and 75% have ids that are not "
        "evaluated (0 unlabeled, 2 rectification border, 10 rail track); expected label ids: 7 for "
        "road, 8 for sidewalk, 11 for building and so on"
    )


@pytest.mark.parametrize(
    ("ids", "kinds"),
    [
        ([7, 7, 11, 17, 13, 12, 8, 7, 7, 7], []),  # a street without sky, trees and cars
        ([0, 7, 7, 7, 7, 7, 7, 7, 7, 7], ["train ids"]),
        ([0, 23, 7, 7, 7, 7, 7, 7, 7, 7], []),  # sky as a label id: an ignored id is a warning
        ([0, 13, 13, 255, 13, 8, 8, 8, 8, 8], ["train ids", "unknown ids"]),
        ([7, 34, 23, 26, 26, 26, 26, 26, 26, 26], ["unknown ids"]),
    ],
)
def test_how_train_ids_are_told(check, ids, kinds):
    pixels = np.resize(np.array(ids, np.uint8), (8, 16))
    assert [fault[0] for fault in check(with_first(encode(pixels)))] == kinds


def test_ids_that_cityscapes_does_not_have(check):
    pixels = LABEL_IDS.copy()
    pixels[0, 0] = 255
    ((kind, _, text),) = check(with_first(encode(pixels)))
    assert kind == "unknown ids"
    assert text == (
        "holds 255, which Cityscapes doesn't have (255 stands for ignored pixels among train "
        "ids); expected ids of 0 to 33: write label ids"
    )


def test_ids_that_are_not_evaluated(check):
    pixels = LABEL_IDS.copy()
    pixels[0, :4] = 0
    report = check({name: encode(pixels) for name in good_files()}, whole=True)
    assert report.faults == []
    assert report.lines() == [
        f"warning: {FIRST}: 3.12% of the pixels have ids that are not evaluated (0 unlabeled) and "
        "count as wrong wherever the ground truth has a class (and 2 more alike)",
        "no fault in 3 images",
    ]


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def second_header(width, height):
    data = encode(LABEL_IDS)
    return (
        data[:33]
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + data[33:]
    )


def flip_bit(data, position):
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def png_of_rows(rows, *, cut=0):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 8, 8, 0, 0, 0, 0))
    compressed = zlib.compress(bytes([0, *[7] * 16]) * rows)
    pixels = chunk(b"IDAT", compressed[: len(compressed) - cut])
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty; "),
        (b"GIF89a" + bytes(60), "is no PNG (it begins with b'GIF89a\\x00\\x00')"),
        (encode(LABEL_IDS)[:-20], "is cut off"),
        (encode(LABEL_IDS)[:40], "is cut off"),
        (flip_bit(encode(LABEL_IDS), 45), "has a wrong checksum in its chunk 'IDAT'"),
        (encode(LABEL_IDS) + b"more", "has 4 bytes after its end"),
        (second_header(60000, 60000), "has two headers"),
        (png_of_rows(7), "holds fewer pixels than its header says"),
        (png_of_rows(8, cut=4), "holds fewer pixels than its header says"),
        (png_of_rows(9), "holds more pixels than its header says"),
        (png_of_rows(10**5), "holds more pixels than its header says"),
        (png_of_rows(8).replace(b"IDAT", b"IDAX"), "has a wrong checksum in its chunk 'IDAX'"),
    ],
    ids=[
        "empty",
        "gif",
        "cut",
        "cut early",
        "bit",
        "tail",
        "two headers",
        "few rows",
        "cut rows",
        "many rows",
        "bomb",
        "renamed chunk",
    ],
)
def test_damaged_images(check, data, message):
    ((kind, name, text),) = check(with_first(data))
    assert (kind, name) == ("damaged", FIRST)
    assert text.startswith(message)
    assert text.endswith("; expected a whole PNG: write it again")


def test_interlaced_images_are_read(check):
    assert png_of_rows(8) != encode(np.full((8, 16), 7, np.uint8))
    assert check(with_first(png_of_rows(8))) == []
    # Adam7 of 16 x 8 in rows: 1x2, 1x2, 1x4, 2x4, 2x8, 4x8, 4x16, each after its filter's byte.
    rows = ((1, 2), (1, 2), (1, 4), (2, 4), (2, 8), (4, 8), (4, 16))
    raw = b"".join(bytes([0, *[7] * width]) * height for height, width in rows)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 8, 8, 0, 0, 0, 1))
    pixels = chunk(b"IDAT", zlib.compress(raw))
    data = b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")
    assert check(with_first(data)) == []


def test_chunks_that_the_pixels_do_not_need_reach_no_decoder(check):
    data = encode(LABEL_IDS)
    # Pillow stumbles over the first two, and unpacks the third.
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(4 << 20)))
    extra = chunk(b"gAMA", b"") + chunk(b"acTL", b"\xff" * 8) + text
    assert check(with_first(data[:33] + extra + data[33:])) == []


def test_a_huge_image_is_not_decoded(check):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header  # the rest is not needed to refuse it
    ((kind, _, text),) = check(with_first(data))
    assert kind == "size"
    assert "is 60000 x 60000 (width x height); expected 16 x 8" in text


def test_every_fault_in_one_run(check):
    files = {
        FIRST: png(np.repeat(np.full((4, 8, 1), 200, np.uint8), 3, 2)),
        f"again/{FIRST}": b"",
        f"{KEYS[1]}.png": b"",
        "notes.txt": b"",
    }
    report = check(files, whole=True)
    assert [fault.kind for fault in report.faults] == [
        "size", "mode", "doubled", "damaged", "extra", "missing",
    ]  # fmt: skip
    lines = report.lines()
    assert len(lines) == 7
    assert lines[-1] == (
        "6 faults (1 damaged, 1 doubled, 1 extra, 1 missing, 1 mode, 1 size); 2 of 3 images read"
    )


def test_counts_of_cityscapes_where_the_images_are_not_known(tmp_path):
    assert sum(CITYSCAPES_TEST_CITIES.values()) == 1525
    data = encode(np.full((1024, 2048), 7, np.uint8))
    names = [f"bonn_{i:06d}_000019.png" for i in range(45)]
    small = "leverkusen_000000_000019.png"
    files = {**dict.fromkeys(names, b""), names[0]: data, small: encode(LABEL_IDS)}
    files |= {f"leverkusen_{i:06d}_000019.png": b"" for i in range(1, 59)}
    files["aachen_000000_000019.png"] = data
    path = write_zip(tmp_path / "results.zip", files)
    report = check_submission(path, ExpectedImages.of_cityscapes_test(), progress=False)
    found = {(fault.kind, fault.name, fault.message) for fault in report.faults}
    assert (
        "extra",
        "aachen_000000_000019.png",
        "is no image of the test split: remove it",
    ) in found
    tail = "predict exactly the split"
    assert ("missing", "bonn", f"has 45 images; expected 46: {tail}") in found
    assert ("missing", "berlin", f"has 0 images; expected 544: {tail}") in found
    assert ("extra", "leverkusen", f"has 59 images; expected 58: {tail}") in found
    assert any(fault[:2] == ("size", small) for fault in found)
    assert not any(fault[1] == names[0] for fault in found)
