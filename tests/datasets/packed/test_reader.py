"""Reading: the pixels of the files, and refusal of packed datasets that are stale or corrupted."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest
from torch.utils.data import DataLoader

from glore_seg.datasets import pack_dataset, verify_pack
from glore_seg.datasets.packed import INDEX, PIXELS, PackedImage, read_index, read_packed, reader
from glore_seg.errors import ConfigError, DataError
from tests.datasets.packed.crops import CROP, assert_same_crops, build


def packed_image(pack, entry):
    pixels = str(pack / PIXELS)
    return PackedImage(pixels, reader.version_of(pixels), entry.offset, entry.shape)


def test_has_the_pixels_of_the_files(few_scenes, pack):
    entries = read_index(pack)
    assert len(entries) == 4
    assert (pack / PIXELS).stat().st_size == 4 * 32 * 64 * 4
    for name, entry in entries.items():
        image, label = read_packed(packed_image(pack, entry))
        np.testing.assert_array_equal(image, cv2.imread(str(few_scenes / name)))
        stored = cv2.imread(str(few_scenes / entry.label.path), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(label, stored)
        assert not image.flags.writeable


def test_gives_the_crops_of_the_files(few_scenes, pack, tmp_path):
    assert_same_crops(build(few_scenes), build(few_scenes, pack))
    names = tmp_path / "names.txt"
    names.write_text("bremen/bremen_000001_000019\n")
    options = {"metainfo": {"classes": ("road", "sky")}, "ann_file": str(names)}
    files, packed = (build(few_scenes, one, **options) for one in (None, pack))
    assert_same_crops(files, packed)
    assert set(np.unique(packed[0]["gt_seg_map"])) <= {0, 1, 255}


def test_rejects_and_repacks_a_stale_image(few_scenes, pack):
    image = min(few_scenes.rglob("train/*/*_leftImg8bit.png"))
    assert cv2.imwrite(str(image), np.full((32, 64, 3), 200, np.uint8))
    with pytest.raises(DataError, match=r"1 images have changed since they were packed, .*aachen/"):
        build(few_scenes, pack)
    length = (pack / PIXELS).stat().st_size
    assert pack_dataset(few_scenes, pack, progress=False) == (1, 3)
    assert (pack / PIXELS).stat().st_size == length  # at its old position
    entry = read_index(pack)[image.relative_to(few_scenes).as_posix()]
    assert np.all(read_packed(packed_image(pack, entry))[0] == 200)
    assert verify_pack(pack, progress=False) == []


def test_rejects_stale_labels_and_other_datasets(few_scenes, pack):
    with pytest.raises(DataError, match="4 images have changed"):
        build(few_scenes, pack, seg_map_suffix="_gtFine_labelIds.png")
    os.utime(min(few_scenes.rglob("train/*/*_labelTrainIds.png")), ns=(1, 1))
    with pytest.raises(DataError, match="1 images have changed"):
        build(few_scenes, pack)


def test_rejects_images_that_are_not_packed(few_scenes, pack):
    for path in list(few_scenes.glob("*/train/aachen/*")):
        shutil.copy(path, path.with_name(path.name.replace("aachen_000000", "aachen_000099")))
    with pytest.raises(DataError, match=r"1 images are not in it, such as .*aachen_000099"):
        build(few_scenes, pack)
    with pytest.raises(DataError, match=r"2 images are not in it"):
        build(few_scenes, pack, "val")


def test_rejects_corrupted_packs(few_scenes, pack, tmp_path):
    with pytest.raises(DataError, match=r"none has no pack"):
        build(few_scenes, tmp_path / "none")
    content = (pack / INDEX).read_text()
    for text, message in (
        (content[:-50], r"pack\.json is corrupted"),
        (content.replace('"version": 3', '"version": 1'), r"\('glore_seg pack', 1\); expected"),
        (content.replace("[32, 64]", "[64, 32]"), "its checksum differs"),
        ("[]", r"pack\.json is corrupted"),
    ):
        (pack / INDEX).write_text(text)
        with pytest.raises(DataError, match=message):
            build(few_scenes, pack)
    (pack / INDEX).write_text(content)
    os.truncate(pack / PIXELS, 30_000)
    with pytest.raises(DataError, match=r"has 30000 bytes; expected 32768 or more"):
        build(few_scenes, pack)
    (pack / PIXELS).unlink()
    with pytest.raises(DataError, match=r"has 0 bytes; expected 32768 or more"):
        build(few_scenes, pack)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("offset", -64),
        ("offset", 10**12),
        ("offset", 8),
        ("offset", "8"),
        ("shape", [32]),
        ("shape", [0, 64]),
        ("label", 3),
    ],
)
def test_rejects_wrong_entries(pack, key, value):
    content = json.loads((pack / INDEX).read_text())
    content["entries"][1][key] = value
    del content["crc32"]
    (pack / INDEX).write_text(json.dumps({**content, "crc32": reader._checksum(content)}))
    with pytest.raises(DataError, match=r"is corrupted|has 32768 bytes"):
        read_index(pack)


def test_verification_finds_a_byte(pack):
    with (pack / PIXELS).open("r+b") as pixels:
        pixels.seek(3 * 32 * 64 * 4 + 5)
        byte = pixels.read(1)
        pixels.seek(-1, os.SEEK_CUR)
        pixels.write(bytes([byte[0] ^ 1]))
    (problem,) = verify_pack(pack, progress=False)
    assert "is corrupted in" in problem


@pytest.mark.parametrize("cat_max_ratio", [0.75, 0.01, 1.0])
def test_labels_are_checked_in_the_crop(few_scenes, pack, cat_max_ratio):
    crop = {**CROP, "num_classes": 1, "cat_max_ratio": cat_max_ratio}
    with pytest.raises(DataError, match=r"holds \[.*\]; expected class indices 0 to 0"):
        build(few_scenes, pack, pipeline=[crop])[0]


def test_rejects_pipelines_and_backends_that_read_the_files(few_scenes, pack):
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "LoadCheckedAnnotations"}]
    with pytest.raises(ConfigError, match=r"begins with LoadImageFromFile"):
        build(few_scenes, pack, pipeline=pipeline)
    with pytest.raises(ConfigError, match=r"backend 'petrel'"):
        build(few_scenes, pack, backend_args={"backend": "petrel"})


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_loads_in_worker_processes(few_scenes, pack, method):
    pipeline = [CROP, {"type": "FastPhotoMetricDistortion"}, {"type": "FastPackSegInputs"}]
    data = build(few_scenes, pack, pipeline=pipeline)
    options = {"num_workers": 1, "batch_size": 4, "multiprocessing_context": method}
    (batch,) = DataLoader(data, collate_fn=list, **options)
    assert [sample["inputs"].shape[0] for sample in batch] == [3] * 4


def test_a_pack_created_again_is_read_anew(few_scenes, pack):
    before, unread = build(few_scenes, pack), build(few_scenes, pack)
    assert_same_crops(build(few_scenes), before)
    image = min(few_scenes.rglob("train/*/*_leftImg8bit.png"))
    assert cv2.imwrite(str(image), np.full((32, 64, 3), 200, np.uint8))
    shutil.rmtree(pack)
    pack_dataset(few_scenes, pack, progress=False)
    after = build(few_scenes, pack)
    assert_same_crops(build(few_scenes), after)
    assert np.all(after[0]["img"] == 200)
    assert np.any(before[0]["img"] != 200)  # its map outlives the file
    reader._mapped.cache_clear()
    with pytest.raises(DataError, match=r"has changed since the dataset was built"):
        unread[0]


@pytest.mark.slow
def test_packing_more_splits_keeps_what_is_there(few_scenes, pack):
    packed = build(few_scenes, pack)
    assert pack_dataset(few_scenes, pack, progress=False) == (0, 4)
    assert_same_crops(build(few_scenes), packed)  # still usable: nothing was written
    assert pack_dataset(few_scenes, pack, splits=("train", "val"), progress=False) == (2, 4)
    for split in ("train", "val"):
        assert_same_crops(build(few_scenes, split=split), build(few_scenes, pack, split))
