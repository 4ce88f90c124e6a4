import logging

import numpy as np
import pytest

pytest.importorskip("av")
pytest.importorskip("mmaction")

from mmaction.datasets.transforms import (
    CenterCrop,
    FormatShape,
    PackActionInputs,
    Resize,
    SampleFrames,
)

from glore_seg.datasets.video.dataset import CheckedVideoDataset
from glore_seg.datasets.video.transforms import (
    CheckedVideoDecode,
    CheckedVideoInit,
    RepeatOneFrame,
)
from tests.datasets.video.files import cut, write_clip, write_noise


@pytest.fixture
def told(monkeypatch):
    """Lines for the log."""
    lines = []
    for module in ("dataset", "transforms"):
        monkeypatch.setattr(
            f"glore_seg.datasets.video.{module}.print_log",
            lambda line, logger, level: lines.append((line, logger, level)),
        )
    return lines


def pipeline(*between, clips=1, test_mode=True):
    return [
        CheckedVideoInit(),
        SampleFrames(clip_len=4, frame_interval=2, num_clips=clips, test_mode=test_mode),
        *between,
        CheckedVideoDecode(),
        Resize(scale=(-1, 32)),
        CenterCrop(crop_size=32),
        FormatShape(input_format="NCTHW"),
        PackActionInputs(),
    ]


def dataset(root, lines, **options):
    (root / "list.txt").write_text("".join(f"{line}\n" for line in lines))
    settings = {
        "data_root": str(root),
        "ann_file": "list.txt",
        "data_prefix": {"video": ""},
        "pipeline": pipeline(),
        **options,
    }
    return CheckedVideoDataset(**settings)


@pytest.fixture
def damaged(tmp_path):
    """A folder with videos of all kinds of damage, and one that is whole."""
    write_clip(tmp_path / "a whole.mp4")
    cut(write_clip(tmp_path / "truncated.mp4"), 0.5)
    (tmp_path / "zero.mp4").touch()
    path = write_noise(tmp_path / "no_frames.mp4")
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 4])
    return tmp_path


NAMES = ("truncated.mp4", "zero.mp4", "no_frames.mp4", "missing.mp4")
LINES = ["a whole.mp4 2", *(f"{name} {i}" for i, name in enumerate(NAMES))]


def test_training_goes_on_with_another_video(damaged, told):
    data = dataset(damaged, LINES)
    for _ in range(2):
        for index in range(5):
            sample = data[index]
            assert sample["data_samples"].gt_label.tolist() == [2]
            assert sample["inputs"].shape == (1, 3, 4, 32, 32)
    lines = sorted(line for line, _, _ in told)
    assert len(lines) == 4  # each once
    for name, line in zip(sorted(NAMES), lines, strict=True):
        assert line.startswith(str(damaged / name))
        assert line.endswith("; another video stands in for it")
    assert {(logger, level) for _, logger, level in told} == {("current", logging.WARNING)}


def test_testing_leaves_none_out(damaged, told):
    data = dataset(damaged, LINES, test_mode=True, pipeline=pipeline(clips=2))
    samples = [data[index] for index in range(5)]
    assert [s["data_samples"].gt_label.item() for s in samples] == [2, 0, 1, 2, 3]
    assert {s["inputs"].shape for s in samples} == {(2, 3, 4, 32, 32)}
    assert samples[0]["data_samples"].get("unreadable") is None
    assert "zero.mp4" in samples[2]["data_samples"].unreadable
    assert samples[2]["inputs"].unique().tolist() == [128]
    assert len(told) == 4
    assert all(line.endswith("; it counts as an error") for line, _, _ in told)


def test_odd_videos_are_used_and_named(tmp_path, told):
    cut(write_noise(tmp_path / "short.mp4"), 0.5)
    write_clip(tmp_path / "turned.mp4", rotation=90)
    write_clip(tmp_path / "fast.mp4", rate=60)
    data = dataset(tmp_path, ["short.mp4 0", "turned.mp4 1", "fast.mp4 2"], test_mode=True)
    for _ in range(2):
        assert [data[i]["data_samples"].gt_label.item() for i in range(3)] == [0, 1, 2]
    texts = [line for line, _, _ in told if "don't decode" not in line]
    assert len(texts) == 3
    assert "short.mp4 is cut short: it holds 12 of 24 frames" in texts[0]
    assert "turned.mp4 is turned by 90 degrees by its header: read upright" in texts[1]
    assert "fast.mp4: it has 60 frames a second; frames are taken by number" in texts[2]
    assert [data[i]["data_samples"].get("unreadable") for i in range(3)] == [None] * 3


def test_harmless_oddities_do_not_flood_the_log(tmp_path, told):
    for i in range(13):
        write_clip(tmp_path / f"{i:02}.mp4", 9, rate=60)
    data = dataset(tmp_path, [f"{i:02}.mp4 0" for i in range(13)])
    for i in range(13):
        data[i]
    assert len(told) == 11
    assert "09.mp4" in told[9][0]
    assert told[10][0].startswith("further videos of this kind (odd rate) are not named here; too")


def test_one_frame_repeated(tmp_path):
    write_clip(tmp_path / "a.mp4")
    data = dataset(tmp_path, ["a.mp4 0"], pipeline=pipeline(RepeatOneFrame(), clips=3))
    clips = data[0]["inputs"].float()  # (3, 3, 4, 32, 32)
    assert clips.std(dim=2).max() == 0
    plain = dataset(tmp_path, ["a.mp4 0"], pipeline=pipeline(clips=3))[0]["inputs"].float()
    np.testing.assert_array_equal(clips[:, :, 0], plain[:, :, 2])


def test_lists(tmp_path):
    write_clip(tmp_path / "a.mp4")
    classes = tmp_path / "classes.txt"
    classes.write_text("left\nright\n")
    data = dataset(tmp_path, ["a.mp4 1", "", "b c.mp4 0"], metainfo={"classes": str(classes)})
    assert data.metainfo["classes"] == ["left", "right"]
    assert [data.get_data_info(i)["label"] for i in range(2)] == [1, 0]
    assert data.get_data_info(1)["filename"] == str(tmp_path / "b c.mp4")
    unlabelled = dataset(tmp_path, ["a.mp4", "a.mp4 -1"], test_mode=True)
    assert [unlabelled.get_data_info(i)["label"] for i in range(2)] == [-1, -1]


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        (["a.mp4 0", "a.mp4"], ValueError, r"line 2 of .*list\.txt is 'a\.mp4'; expected `path la"),
        (["a.mp4 left"], ValueError, r"line 1 of .*list\.txt is 'a\.mp4 left'"),
        (["a.mp4 2"], ValueError, "line 1 of .* has label 2; expected 0 to 1: correct"),
        (["a.mp4 -1"], ValueError, "line 1 of .* has label -1; expected 0 to 1"),
        ([], ValueError, r"list\.txt lists no videos"),
        (["b.mp4 0", "c.mp4 1"], FileNotFoundError, r"none of the 2 videos in .*b\.mp4: correct"),
    ],
)
def test_refused_lists(tmp_path, lines, error, message):
    write_clip(tmp_path / "a.mp4", 2)
    with pytest.raises(error, match=message):
        dataset(tmp_path, lines, metainfo={"classes": ["left", "right"]})


def test_refused_settings(tmp_path):
    write_clip(tmp_path / "a.mp4", 2)
    with pytest.raises(FileNotFoundError, match=r"ann_file .*none\.txt is missing; expected a te"):
        dataset(tmp_path, ["a.mp4 0"], ann_file="none.txt")
    with pytest.raises(ValueError, match="has no CheckedVideoDecode; other decoders end the run"):
        dataset(tmp_path, ["a.mp4 0"], pipeline=[CheckedVideoInit()])
