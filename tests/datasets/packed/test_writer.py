"""Packing: what is written, resumed, locked, and rejected."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from glore_seg.datasets import pack_dataset, verify_pack
from glore_seg.datasets.packed import INDEX, PIXELS, read_index, writer
from glore_seg.errors import ConfigError, DataError, GloReSegError
from projects.synthetic_data.street_scenes import make_street_scenes
from tests.datasets.packed.crops import CROP, assert_same_crops, build
from tests.disks import fill, make_read_only, small_disk

PACK = "dataset_converters/pack"


def test_two_processes_write_the_same(few_scenes, pack, tmp_path):
    other = tmp_path / "other"
    splits = ("train", "train", "./train")  # each image is packed once
    assert pack_dataset(few_scenes, other, splits=splits, num_workers=2, progress=False) == (4, 0)
    assert (other / PIXELS).read_bytes() == (pack / PIXELS).read_bytes()
    assert read_index(other) == read_index(pack)


def test_images_of_other_sizes(few_scenes, tmp_path):
    for suffix, value, channels in (("leftImg8bit", 9, (3,)), ("labelTrainIds", 3, ())):
        path = min(few_scenes.rglob(f"train/*/*{suffix}.png"))
        assert cv2.imwrite(str(path), np.full((7, 11, *channels), value, np.uint8))
    assert pack_dataset(few_scenes, tmp_path / "pack", progress=False) == (4, 0)
    entries = read_index(tmp_path / "pack")
    assert {entry.shape for entry in entries.values()} == {(7, 11), (32, 64)}
    assert verify_pack(tmp_path / "pack", progress=False) == []


def test_other_suffixes_and_classes(few_scenes, tmp_path):
    for path in list(few_scenes.rglob("*_leftImg8bit.png")):
        path.rename(path.with_name(path.name.replace("_leftImg8bit.png", "[1].png")))
    for path in list(few_scenes.rglob("*_labelTrainIds.png")):
        label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        label[:4] = 23
        name = path.name.replace("_gtFine_labelTrainIds.png", "_classes.png")
        assert cv2.imwrite(str(path.with_name(name)), label)
    suffixes = {"img_suffix": "[1].png", "seg_map_suffix": "_classes.png"}
    pack = tmp_path / "pack"
    with pytest.raises(DataError, match=r"no \*_leftImg8bit\.png in"):
        pack_dataset(few_scenes, pack, progress=False)
    with pytest.raises(DataError, match=r"holds \[23\]"):
        pack_dataset(few_scenes, pack, **suffixes, progress=False)
    assert pack_dataset(few_scenes, pack, **suffixes, num_classes=24, progress=False) == (4, 0)
    options = {**suffixes, "pipeline": [{**CROP, "num_classes": 24}]}
    assert_same_crops(build(few_scenes, **options), build(few_scenes, pack, **options))
    with pytest.raises(DataError, match="4 images have changed"):
        build(few_scenes, pack, **{**options, "seg_map_suffix": "_gtFine_labelTrainIds.png"})


def test_resumes_after_an_interruption(few_scenes, pack, tmp_path, monkeypatch):
    calls, pack_one = [], writer._pack_one

    def interrupted(root, pixels, label_format, task):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(task.image)
        return pack_one(root, pixels, label_format, task)

    other = tmp_path / "other"
    monkeypatch.setattr(writer, "_pack_one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pack_dataset(few_scenes, other, progress=False)
    assert sorted(read_index(other, unfinished=True)) == sorted(calls)
    with pytest.raises(DataError, match=r"is unfinished \(2 images so far\)"):
        build(few_scenes, other)
    monkeypatch.undo()
    assert pack_dataset(few_scenes, other, progress=False) == (2, 2)
    assert (other / PIXELS).read_bytes() == (pack / PIXELS).read_bytes()
    assert pack_dataset(few_scenes, other, progress=False) == (0, 4)


def test_a_label_is_rejected_when_packed(few_scenes, tmp_path):
    label = min(few_scenes.rglob("train/*/*_labelTrainIds.png"))
    label.write_bytes(min(few_scenes.rglob("train/*/*_labelIds.png")).read_bytes())
    with pytest.raises(DataError, match="expected class indices 0 to 18 and 255"):
        pack_dataset(few_scenes, tmp_path / "pack", progress=False)
    assert cv2.imwrite(str(label), np.zeros((16, 64), np.uint8))
    with pytest.raises(DataError, match=r"is 16 x 64 but its image .* is 32 x 64"):
        pack_dataset(few_scenes, tmp_path / "pack", progress=False)
    label.unlink()
    for split, count in (("train", "1 of 4"), ("test", "1 of 1")):
        with pytest.raises(DataError, match=f"{count} images of {split} have no label"):
            pack_dataset(few_scenes, tmp_path / "pack", splits=(split,), progress=False)


@pytest.mark.parametrize("option", [{"num_classes": 0}, {"num_workers": 0}])
def test_rejects_options(few_scenes, tmp_path, option):
    with pytest.raises(ConfigError, match=next(iter(option))):
        pack_dataset(few_scenes, tmp_path / "pack", **option, progress=False)


@pytest.mark.slow
def test_resumes_after_a_full_disk(few_scenes, exit_code, capsys, tmp_path):
    more = make_street_scenes(
        tmp_path / "more", num_train=8, num_val=1, num_test=1, size=(32, 64), progress=False
    )
    with small_disk(tmp_path / "disk", "200k") as disk:
        pack = disk / "pack"
        pack_dataset(few_scenes, pack, progress=False)
        filler = fill(disk, leave=24_000)  # room for an index and for two images
        assert exit_code(PACK, more, pack, "--quiet") == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert f"cannot write {pack}/" in said
        with pytest.raises(DataError, match="is unfinished"):
            read_index(pack)
        filler.unlink()
        pack_dataset(more, pack, progress=False)
        assert verify_pack(pack, progress=False) == []
        assert len(read_index(pack)) == 8
        make_read_only(disk)
        assert exit_code(PACK, few_scenes, disk / "new", "--quiet") == 2
        assert "Read-only file system" in capsys.readouterr().err


HOLD = """
import sys, time
from glore_seg.datasets.packed import writer

def slow(*arguments):
    print("at work", flush=True)
    time.sleep(60)

writer._pack_one = slow
writer.pack_dataset(sys.argv[1], sys.argv[2], num_workers=int(sys.argv[3]), progress=False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [1, 2])
def test_one_process_at_a_time_packs(few_scenes, tmp_path, num_workers):
    pack = tmp_path / "pack"
    command = [sys.executable, "-c", HOLD, str(few_scenes), str(pack), str(num_workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "at work\n"
        before = (pack / INDEX).read_bytes()
        with pytest.raises(GloReSegError, match=r"another process is packing into .*pack"):
            pack_dataset(few_scenes, pack, progress=False)
        assert (pack / INDEX).read_bytes() == before
        other.kill()
        other.communicate(timeout=20)  # ends with the last of its workers, as does the lock
    assert pack_dataset(few_scenes, pack, progress=False) == (4, 0)
    assert verify_pack(pack, progress=False) == []
