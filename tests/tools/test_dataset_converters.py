"""The converters of datasets as commands: exit codes, what is printed and written."""

import cv2
import numpy as np
import pytest

from glore_seg.utils.image_io import read_label_map, write_png
from projects.synthetic_data.moving_shapes import make_moving_shapes
from projects.synthetic_data.street_scenes import make_street_scenes


@pytest.fixture
def run(exit_code):
    return lambda name, *arguments: exit_code(f"dataset_converters/{name}", *arguments)


def make_scenes(root):
    sizes = {"num_train": 4, "num_val": 2, "num_test": 1, "size": (32, 64)}
    make_street_scenes(root, **sizes, progress=False)


def test_cityscapes(run, tmp_path, capsys):
    make_scenes(tmp_path)
    assert run("cityscapes", tmp_path, "--quiet") == 1
    assert "train: 4 images, expected 2975" in capsys.readouterr().out
    assert run("cityscapes", tmp_path, "--allow-incomplete", "--check-only") == 0
    for path in tmp_path.rglob("*_labelTrainIds.png"):
        path.unlink()
    assert run("cityscapes", tmp_path, "--allow-incomplete", "--check-only") == 1
    assert "6 labelTrainIds images are missing" in capsys.readouterr().out
    assert run("cityscapes", tmp_path, "--allow-incomplete", "--quiet") == 0
    assert "labelTrainIds: 6 created, 0 kept" in capsys.readouterr().out
    assert run("cityscapes", tmp_path, "--allow-incomplete") == 0
    assert run("cityscapes", tmp_path / "none") == 1


def test_camvid(run, tmp_path, capsys):
    assert run("camvid", tmp_path / "none", tmp_path / "out", "--quiet") == 2
    assert "error: " in capsys.readouterr().err
    for split in ("train", "val"):
        for kind, suffix, shape in (("images", ".jpg", (8, 8, 3)), ("labels", ".png", (8, 8))):
            folder = tmp_path / "src" / kind / split
            folder.mkdir(parents=True)
            assert cv2.imwrite(str(folder / f"0001TP_000001{suffix}"), np.zeros(shape, np.uint8))
    assert run("camvid", tmp_path / "src", tmp_path / "out", "--quiet") == 0
    assert "1 train, 1 val" in capsys.readouterr().out


def test_labels(run, tmp_path, capsys):
    for name, value in (("in/0.png", 0), ("in/a/1.png", 255)):
        write_png(tmp_path / name, np.full((2, 2), value, np.uint8))
    arguments = [tmp_path / "in", tmp_path / "out", "--quiet", "--map", "255=1"]
    assert run("labels", *arguments) == 0
    assert "2 label maps" in capsys.readouterr().out
    assert read_label_map(tmp_path / "out/a/1.png").tolist() == [[1, 1]] * 2
    assert run("labels", *arguments[:3], "--map", "1") == 2


def test_pack(run, tmp_path, capsys):
    make_scenes(tmp_path / "data")
    pack = tmp_path / "pack"
    arguments = [tmp_path / "data", pack, "--quiet", "--verify"]
    assert run("pack", *arguments) == 0
    assert "4 images packed, 0 kept\nverified" in capsys.readouterr().out
    assert run("pack", *arguments, "--splits", "train", "val", "--nproc", "2") == 0
    assert "2 images packed, 4 kept\nverified" in capsys.readouterr().out
    ids = ["--seg-map-suffix", "_gtFine_labelIds.png", "--num-classes", "34"]
    assert run("pack", *arguments[:1], tmp_path / "ids", *arguments[2:], *ids) == 0
    assert "4 images packed, 0 kept\nverified" in capsys.readouterr().out
    assert run("pack", *arguments, "--img-suffix", ".jpg") == 2
    assert "error: no *.jpg in" in capsys.readouterr().err
    with (pack / "pixels.u8").open("r+b") as pixels:
        pixels.write(bytes(100))
    assert run("pack", *arguments) == 1
    assert "its checksum differs" in capsys.readouterr().out
    assert run("pack", tmp_path / "none", pack, "--quiet") == 2
    assert "error: no *_leftImg8bit.png in" in capsys.readouterr().err


def test_kinetics(run, tmp_path, capsys):
    pytest.importorskip("av")
    data = tmp_path / "data"
    sizes = {"num_train": 3, "num_val": 1, "num_frames": 9, "size": (32, 32)}
    make_moving_shapes(data, **sizes, progress=False)
    lines = (data / "lists" / "train.txt").read_text().splitlines()
    table = tmp_path / "train.csv"
    table.write_text(
        "label,youtube_id,time_start,time_end,split\n"
        + "".join(f"class {line[-1]},{line[6:-6]},0,10,train\n" for line in lines)
    )
    videos = ["--videos", data / "videos/train", "--out", tmp_path / "out"]
    assert run("kinetics", table, *videos, "--min-frames", "9", "--nproc", "2", "--quiet") == 0
    assert "train: 3 videos listed; no problems" in capsys.readouterr().out
    listed = (tmp_path / "out" / "kinetics400_train_list_videos.txt").read_text().splitlines()
    assert listed == [line.removeprefix("train/") for line in lines]
