"""The command itself: folders, videos and bad files in one run, and again."""

import csv

import cv2
import numpy as np
import pytest
from PIL import Image

from glore_seg.apis.inference import Segmenter
from glore_seg.errors import OutputError
from glore_seg.evaluation import CITYSCAPES_CLASSES, label_id_table
from glore_seg.utils.files import locked


@pytest.fixture(scope="session")
def predict(load_tool):
    """Calls predict.py."""
    main = load_tool("predict")
    return lambda *arguments: main([str(argument) for argument in arguments])


@pytest.fixture
def folder(street_scenes, tmp_path):
    """Two good images of one name in two folders, two bad ones and a video."""
    first, second = sorted((street_scenes / "leftImg8bit/val").rglob("*.png"))
    for name, file in (("a/1.png", first), ("b/1.png", second)):
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        (tmp_path / "in" / name).write_bytes(file.read_bytes())
    (tmp_path / "in/a/2.png").write_text("no image")
    (tmp_path / "in/b/0.jpg").write_bytes(b"")
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(tmp_path / "in/drive.mp4"), code, 10.0, (64, 48))
    for shade in (0, 99, 200):
        writer.write(np.full((48, 64, 3), shade, np.uint8))
    writer.release()
    return tmp_path / "in"


def files(out):
    return sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())


def test_a_folder_with_bad_files(predict, trained, folder, tmp_path, capsys):
    out, weights = tmp_path / "out", trained / "iter_4.pth"
    options = ("--label-format", "label", "--frames", "--device", "cpu")
    arguments = (weights, folder, "--out", out, *options)
    assert predict(*arguments) == 1
    shown = capsys.readouterr()
    assert f"3 segmented, 0 done before: {out}" in shown.out
    failed = [line for line in shown.err.splitlines() if line.startswith("failed: ")]
    assert failed[0].startswith(f"failed: {folder}/a/2.png ")
    assert failed[1].startswith(f"failed: {folder}/b/0.jpg ")
    made = [
        *("labels/a/1.png", "labels/b/1.png"),
        *(f"labels/drive/{index:06}.png" for index in range(3)),
        *("overlays/a/1.png", "overlays/b/1.png", "overlays/drive.mp4"),
        *("predict.jsonl", "predict.lock", "shares.csv"),
    ]
    assert files(out) == made

    segmenter = Segmenter(weights, device="cpu")
    expected = segmenter(folder / "a/1.png")
    labels = np.array(Image.open(out / "labels/a/1.png"))
    assert np.array_equal(labels, label_id_table(CITYSCAPES_CLASSES)[expected.labels])
    overlay = np.array(Image.open(out / "overlays/a/1.png"))
    assert np.array_equal(overlay, expected.overlay(0.5))
    with (out / "shares.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [
        str(folder / name) for name in ("a/1.png", "b/1.png", "drive.mp4")
    ]
    assert float(rows[0]["road"]) == pytest.approx(expected.shares()["road"], abs=1e-6)

    # Again: fixed files are segmented, the others are skipped.
    stamps = [(out / name).stat().st_mtime_ns for name in made[:2]]
    Image.new("RGB", (20, 10)).save(folder / "a/2.png")
    (folder / "b/0.jpg").unlink()
    assert predict(*arguments) == 0
    assert "1 segmented, 3 done before" in capsys.readouterr().out
    assert [(out / name).stat().st_mtime_ns for name in made[:2]] == stamps
    with pytest.raises(OutputError, match=r"another label_format \(label, now dataset\)"):
        predict(weights, folder, "--out", out, "--frames", "--device", "cpu")
    assert predict(*arguments, "--overwrite") == 0
    assert "4 segmented, 0 done before" in capsys.readouterr().out


def test_rejects_a_second_process(predict, trained, folder, tmp_path):
    out = tmp_path / "out"
    arguments = (trained / "iter_4.pth", folder / "a/1.png", "--out", out, "--device", "cpu")
    out.mkdir()
    with (
        locked(out / "predict.lock", doing="segmenting"),
        pytest.raises(OutputError, match=str(out)),
    ):
        predict(*arguments)
    assert files(out) == ["predict.lock"]
    assert predict(*arguments) == 0
