import json
import os
import shutil

import cv2
import numpy as np
import pytest

from glore_seg.datasets import pack_dataset, verify_pack
from glore_seg.datasets.packed import (
    INDEX,
    PIXELS,
    SeededIndex,
    read_index,
    read_packed,
    reader,
    record,
    writer,
)
from glore_seg.datasets.packed import index as index_file
from glore_seg.datasets.packed.reader import version_of
from glore_seg.errors import GloReSegError
from projects.synthetic_data.street_scenes import make_street_scenes
from tests.datasets.packed.reading import CROP, build, same_crops


def place(pack, entry):
    pixels = str(pack / PIXELS)
    return SeededIndex(pixels, version_of(pixels), entry.offset, entry.shape)


def first(root, pattern):
    return min(root.rglob(pattern))


def change_index(pack, change):
    content = json.loads((pack / INDEX).read_text())
    change(content)
    content["crc32"] = index_file._checksum(content["complete"], content["entries"])
    (pack / INDEX).write_text(json.dumps(content))


def test_holds_the_very_pixels(few_scenes, pack):
    entries = read_index(pack)
    assert len(entries) == 4
    assert (pack / PIXELS).stat().st_size == 4 * 32 * 64 * 4
    for name, entry in entries.items():
        image, label = read_packed(place(pack, entry))
        np.testing.assert_array_equal(image, cv2.imread(str(few_scenes / name)))
        stored = cv2.imread(str(few_scenes / entry.label.path), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(label, stored)
        assert not image.flags.writeable
        assert entry.image.size == (few_scenes / name).stat().st_size


def test_data_set_gives_the_crops_of_the_files(few_scenes, pack):
    files, packed = build(few_scenes), build(few_scenes, pack)
    for seed in range(12):
        crops = []
        for data in (files, packed):
            np.random.seed(seed)
            crops.append(data[seed % 4])
        np.testing.assert_array_equal(crops[0]["img"], crops[1]["img"])
        np.testing.assert_array_equal(crops[0]["gt_seg_map"], crops[1]["gt_seg_map"])


def test_subset_of_classes_and_ann_file(few_scenes, pack, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("bremen/bremen_000001_000019\n")
    options = {"metainfo": {"classes": ("road", "sky")}, "ann_file": str(names)}
    files, packed = (build(few_scenes, one, **options) for one in (None, pack))
    assert len(packed) == 1
    crops = []
    for data in (files, packed):
        np.random.seed(1)
        crops.append(data[0]["gt_seg_map"])
    np.testing.assert_array_equal(*crops)
    assert set(np.unique(crops[0])) <= {0, 1, 255}


def test_images_of_other_sizes_and_splits(few_scenes, tmp_path):
    image, label = (
        first(few_scenes, f"train/*/*{suffix}.png") for suffix in ("leftImg8bit", "labelTrainIds")
    )
    assert cv2.imwrite(str(image), np.full((7, 11, 3), 9, np.uint8))
    assert cv2.imwrite(str(label), np.full((7, 11), 3, np.uint8))
    made = pack_dataset(
        few_scenes, tmp_path / "pack", splits=("train", "val", "test"), progress=False
    )
    assert made == (7, 0)
    entries = read_index(tmp_path / "pack")
    assert {entry.shape for entry in entries.values()} == {(7, 11), (32, 64)}
    without = [name for name, entry in entries.items() if entry.label is None]
    assert len(without) == 1
    assert without[0].startswith("leftImg8bit/test/")
    assert verify_pack(tmp_path / "pack", progress=False) == []
    assert len(build(few_scenes, tmp_path / "pack", "val")) == 2
    sides = {min(data["img"].shape[:2]) for data in build(few_scenes, tmp_path / "pack")}
    assert max(sides) <= 24


def test_two_processes_make_the_same(few_scenes, pack, tmp_path):
    pack_dataset(few_scenes, tmp_path / "other", num_workers=2, progress=False)
    assert (tmp_path / "other" / PIXELS).read_bytes() == (pack / PIXELS).read_bytes()
    assert read_index(tmp_path / "other") == read_index(pack)


def test_goes_on_where_it_was_interrupted(few_scenes, pack, tmp_path, monkeypatch):
    calls = []

    def interrupted(root, pixels, labels, task):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(task.image)
        return record.pack_one(root, pixels, labels, task)

    other = tmp_path / "other"
    monkeypatch.setattr(writer, "pack_one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pack_dataset(few_scenes, other, progress=False)
    assert sorted(read_index(other, unfinished=True)) == sorted(calls)
    with pytest.raises(ValueError, match=r"is unfinished \(2 images so far\).*pack\.py.*goes on"):
        build(few_scenes, other)
    monkeypatch.undo()
    assert pack_dataset(few_scenes, other, progress=False) == (2, 2)
    assert (other / PIXELS).read_bytes() == (pack / PIXELS).read_bytes()
    assert pack_dataset(few_scenes, other, progress=False) == (0, 4)


def test_stale_image_is_refused_and_packed_again(few_scenes, pack):
    image = first(few_scenes, "train/*/*_leftImg8bit.png")
    assert cv2.imwrite(str(image), np.full((32, 64, 3), 200, np.uint8))
    message = r"1 images have changed since they were packed, such as leftImg8bit/train/aachen/.*"
    with pytest.raises(ValueError, match=message + r"run `python tools/dataset_converters/pack"):
        build(few_scenes, pack)
    length = (pack / PIXELS).stat().st_size
    assert pack_dataset(few_scenes, pack, progress=False) == (1, 3)
    assert (pack / PIXELS).stat().st_size == length  # in its old place
    entry = read_index(pack)[image.relative_to(few_scenes).as_posix()]
    packed, _ = read_packed(place(pack, entry))
    assert np.all(packed == 200)
    assert verify_pack(pack, progress=False) == []


def test_stale_label_and_other_suffix_are_refused(few_scenes, pack):
    with pytest.raises(ValueError, match="4 images have changed since"):
        build(few_scenes, pack, seg_map_suffix="_gtFine_labelIds.png")
    os.utime(first(few_scenes, "train/*/*_labelTrainIds.png"), ns=(1, 1))
    with pytest.raises(ValueError, match="1 images have changed since"):
        build(few_scenes, pack)


def test_files_that_were_only_touched_are_not_decoded_again(few_scenes, pack, monkeypatch):
    for path in few_scenes.rglob("*.png"):
        os.utime(path, ns=(1, 1))
    monkeypatch.setattr(record, "_decoded", lambda *arguments: pytest.fail("decoded"))
    assert pack_dataset(few_scenes, pack, progress=False) == (4, 0)
    assert len(build(few_scenes, pack)) == 4


def test_an_image_more_is_refused(few_scenes, pack):
    for path in list(few_scenes.glob("*/train/aachen/*")):
        name = path.name.replace("aachen_000000", "aachen_000099")
        shutil.copy(path, path.with_name(name))
    with pytest.raises(ValueError, match=r"1 images are not in it, such as .*aachen_000099"):
        build(few_scenes, pack)
    with pytest.raises(ValueError, match=r"2 images are not in it.*--splits"):
        build(few_scenes, pack, "val")


def test_damaged_packs_are_refused(few_scenes, pack, tmp_path):
    with pytest.raises(GloReSegError, match=r"none is no pack \(no pack\.json in it\)"):
        build(few_scenes, tmp_path / "none")
    content = (pack / INDEX).read_text()
    (pack / INDEX).write_text(content[:-50])
    with pytest.raises(ValueError, match=r"pack\.json is damaged .*: remove .* and make it again"):
        build(few_scenes, pack)
    (pack / INDEX).write_text(content.replace('"version": 2', '"version": 1'))
    with pytest.raises(ValueError, match=r"is \('glore_seg pack', 1\); expected .* 2\)"):
        build(few_scenes, pack)
    (pack / INDEX).write_text(content.replace("[32, 64]", "[64, 32]"))
    with pytest.raises(ValueError, match=r"pack\.json is damaged .*its checksum differs"):
        build(few_scenes, pack)
    (pack / INDEX).write_text(content)
    os.truncate(pack / PIXELS, 30_000)
    with pytest.raises(ValueError, match=r"pixels\.u8 has 30000 bytes; expected 32768 or more"):
        build(few_scenes, pack)
    with pytest.raises(ValueError, match="cut short"):
        read_packed(SeededIndex(str(pack / PIXELS), version_of(pack / PIXELS), 29_000, (32, 64)))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("offset", -64, "-64 where a count was expected"),
        ("offset", 10**12, "has 32768 bytes; expected 1000000008192 or more"),
        ("offset", 8, "overlaps another"),
        ("offset", "8", "'8' where a count was expected"),
        ("offset", True, "True where a count was expected"),
        ("shape", [32], "not enough values"),
        ("shape", [0, 64], r"shape \[0, 64\]"),
        ("crc32", None, "None where a count was expected"),
    ],
)
def test_the_index_is_not_trusted(pack, key, value, message):
    change_index(pack, lambda content: content["entries"][1].update({key: value}))
    with pytest.raises(ValueError, match=message):
        read_index(pack)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.png", "a/../../x.png", 3])
def test_paths_in_the_index_stay_below_the_root(pack, path):
    change_index(pack, lambda content: content["entries"][0]["image"].update(path=path))
    with pytest.raises(ValueError, match="damaged"):
        read_index(pack)


def test_verify_finds_a_byte(pack):
    with (pack / PIXELS).open("r+b") as pixels:
        pixels.seek(3 * 32 * 64 * 4 + 5)
        byte = pixels.read(1)
        pixels.seek(-1, os.SEEK_CUR)
        pixels.write(bytes([byte[0] ^ 1]))
    (problem,) = verify_pack(pack, progress=False)
    assert "is damaged in" in problem
    assert "remove the pack and make it again" in problem


def test_full_disk_is_told_beforehand(few_scenes, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(writer.shutil, "disk_usage", lambda path: usage._replace(free=20_000))
    with pytest.raises(OSError, match=r"packing 4 images needs 0\.0 GB more, .* make room"):
        pack_dataset(few_scenes, tmp_path / "pack", progress=False)
    assert not (tmp_path / "pack" / PIXELS).exists()


def test_labels_are_checked_when_packed(few_scenes, tmp_path):
    label = first(few_scenes, "train/*/*_labelTrainIds.png")
    shutil.copy(label.with_name(label.name.replace("TrainIds", "Ids")), label)
    with pytest.raises(ValueError, match="expected class indices 0 to 18 and 255"):
        pack_dataset(few_scenes, tmp_path / "pack", progress=False)
    label.unlink()
    with pytest.raises(GloReSegError, match="1 of 4 images of train have no label"):
        pack_dataset(few_scenes, tmp_path / "pack", progress=False)


def test_values_are_checked_in_the_crop_as_well(few_scenes, pack):
    pipeline = [{**CROP, "num_classes": 1, "cat_max_ratio": ratio} for ratio in (0.75, 0.01, 1.0)]
    for one in pipeline:
        with pytest.raises(ValueError, match=r"holds \[.*\]; expected class indices 0 to 0"):
            build(few_scenes, pack, pipeline=[one])[0]


def test_other_folders_are_left_alone(few_scenes, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    with pytest.raises(GloReSegError, match=r"mine holds files that are no pack"):
        pack_dataset(few_scenes, tmp_path / "mine", progress=False)
    with pytest.raises(GloReSegError, match=r"notes\.txt is a file"):
        pack_dataset(few_scenes, tmp_path / "mine" / "notes.txt", progress=False)
    with pytest.raises(GloReSegError, match=r"no \*_leftImg8bit\.png in .*leftImg8bit/night"):
        pack_dataset(few_scenes, tmp_path / "pack", splits=("night",), progress=False)
    with pytest.raises(ValueError, match="num_workers is 0; expected at least 1"):
        pack_dataset(few_scenes, tmp_path / "pack", num_workers=0, progress=False)


def test_what_reads_the_files_refuses_a_pack(few_scenes, pack):
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "LoadCheckedAnnotations"}]
    with pytest.raises(
        ValueError, match=r"begins with LoadImageFromFile.*LoadRandomResizeCropFlip"
    ):
        build(few_scenes, pack, pipeline=pipeline)
    with pytest.raises(ValueError, match=r"files are on the backend 'petrel'"):
        build(few_scenes, pack, backend_args={"backend": "petrel"})
    with pytest.raises(TypeError, match="paack"):
        build(few_scenes, paack=str(pack))


def test_loads_in_worker_processes(few_scenes, pack):
    from torch.utils.data import DataLoader

    pipeline = [CROP, {"type": "FastPhotoMetricDistortion"}, {"type": "FastPackSegInputs"}]
    data = build(few_scenes, pack, pipeline=pipeline)
    for method in ("fork", "spawn"):
        loader = DataLoader(
            data, num_workers=1, collate_fn=list, batch_size=4, multiprocessing_context=method
        )
        (batch,) = loader
        assert [sample["inputs"].shape[0] for sample in batch] == [3] * 4


def test_a_data_set_made_by_another_seed_is_another(pack, tmp_path):
    other = make_street_scenes(
        tmp_path / "other",
        num_train=4,
        num_val=0,
        num_test=0,
        size=(32, 64),
        seed=1,
        progress=False,
    )
    with pytest.raises(ValueError, match="4 images have changed"):
        build(other, pack)


def test_a_remade_pack_is_read_anew_in_the_same_process(few_scenes, pack):
    before = build(few_scenes, pack)
    unread = build(few_scenes, pack)
    same_crops(build(few_scenes), before)
    image = first(few_scenes, "train/*/*_leftImg8bit.png")
    assert cv2.imwrite(str(image), np.full((32, 64, 3), 200, np.uint8))
    shutil.rmtree(pack)
    pack_dataset(few_scenes, pack, progress=False)
    after = build(few_scenes, pack)
    same_crops(build(few_scenes), after)
    assert np.all(after[0]["img"] == 200)
    assert np.any(before[0]["img"] != 200)  # its map outlives the file
    reader._mapped.cache_clear()
    with pytest.raises(ValueError, match=r"has changed since the dataset was built: build the"):
        unread[0]


def test_a_grown_pack_is_read_anew_in_the_same_process(few_scenes, pack):
    same_crops(build(few_scenes), build(few_scenes, pack))
    assert pack_dataset(few_scenes, pack, splits=("train", "val"), progress=False) == (2, 4)
    for split in ("train", "val"):
        same_crops(build(few_scenes, split=split), build(few_scenes, pack, split))


def test_nothing_to_pack_leaves_data_sets_in_use(few_scenes, pack):
    packed = build(few_scenes, pack)
    assert pack_dataset(few_scenes, pack, progress=False) == (0, 4)
    same_crops(build(few_scenes), packed)
