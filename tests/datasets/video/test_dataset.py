import logging
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from glore_seg.errors import GloReSegError

pytest.importorskip("av")
pytest.importorskip("mmaction")

from mmaction.datasets.transforms import (
    CenterCrop,
    FormatShape,
    PackActionInputs,
    Resize,
    SampleFrames,
)
from mmengine.dataset import pseudo_collate

from glore_seg.datasets.video.dataset import CheckedVideoDataset
from glore_seg.datasets.video.rawframes import CheckedRawframeDataset
from glore_seg.datasets.video.transforms import (
    CheckedFrameDecode,
    CheckedVideoDecode,
    CheckedVideoInit,
    RepeatOneFrame,
)
from glore_seg.engine.nonfinite_loss import NonFiniteLossCheck
from tests.datasets.video.files import cut, images, numbers, write_clip, write_noise


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
            assert sample["data_samples"].filename == str(damaged / "a whole.mp4")
    lines = sorted(line for line, _, _ in told)
    assert len(lines) == 4  # each once
    for name, line in zip(sorted(NAMES), lines, strict=True):
        assert line.startswith(str(damaged / name))
        assert line.endswith("; another video stands in for it")
    assert {(logger, level) for _, logger, level in told} == {("current", logging.WARNING)}


def test_a_loss_of_nan_names_the_videos(damaged):
    batch = pseudo_collate([dataset(damaged, LINES)[0]])
    guard = NonFiniteLossCheck(SimpleNamespace(iter=4), "stop")
    guard.begin(batch)
    with pytest.raises(ValueError, match=r"nan at iteration 5: /\S+/a whole\.mp4\. The weights"):
        guard._allows(torch.tensor(float("nan")))


def test_training_ends_where_no_video_can_be_read(damaged, told):
    data = dataset(damaged, LINES[2:4], max_refetch=5)
    message = (
        r"^no video of \S+/list\.txt can be read, of 6 that were tried in a row, such as: "
        r"\S+\.mp4 .*get it again; expected some that can: correct data_prefix"
    )
    with pytest.raises(ValueError, match=message) as raised:
        data[0]
    assert isinstance(raised.value, GloReSegError)
    data.pipeline = lambda results: None
    with pytest.raises(Exception, match="Cannot find valid image") as raised:
        data[0]
    assert type(raised.value) is Exception  # not the videos' fault


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


def test_a_list_that_is_no_text(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"a.mp4 0\n\xff.mp4 0\n")
    with pytest.raises(ValueError, match=r"list\.txt is no text \(.*; expected UTF-8"):
        CheckedVideoDataset(ann_file=str(tmp_path / "list.txt"), pipeline=[])


def test_refused_settings(tmp_path):
    write_clip(tmp_path / "a.mp4", 2)
    with pytest.raises(GloReSegError, match=r"ann_file .*none\.txt is missing; expected a te"):
        dataset(tmp_path, ["a.mp4 0"], ann_file="none.txt")
    with pytest.raises(ValueError, match="has no CheckedVideoDecode; other decoders end the run"):
        dataset(tmp_path, ["a.mp4 0"], pipeline=[CheckedVideoInit()])


def frames_dataset(root, lines, **options):
    (root / "list.txt").write_text("".join(f"{line}\n" for line in lines))
    steps = [CheckedFrameDecode() if isinstance(s, CheckedVideoDecode) else s for s in pipeline()]
    settings = {
        "data_root": str(root),
        "ann_file": "list.txt",
        "data_prefix": {"img": ""},
        "pipeline": steps[1:],
        **options,
    }
    return CheckedRawframeDataset(**settings)


@pytest.fixture
def folders(tmp_path):
    """Frames of a clip: whole, with one missing and one damaged, and none at all."""
    for name in ("a whole", "holes"):
        (tmp_path / name).mkdir()
        for number, image in enumerate(images(7), start=1):
            cv2.imwrite(str(tmp_path / name / f"img_{number:05}.jpg"), image[..., ::-1])
    (tmp_path / "holes/img_00001.jpg").unlink()
    (tmp_path / "holes/img_00007.jpg").write_bytes(b"")
    cv2.imwrite(str(tmp_path / "holes/img_00005.jpg"), np.full((24, 32, 3), 32, np.uint8))
    return tmp_path


FOLDERS = ["a whole 7 2", "holes 7 1", "missing 7 0"]


def test_folders_with_missing_frames(folders, told):
    data = frames_dataset(folders, FOLDERS, test_mode=True)
    samples = [data[i] for i in range(3)]
    assert [s["data_samples"].gt_label.item() for s in samples] == [2, 1, 0]
    shown = [numbers(s["inputs"][0].permute(1, 2, 3, 0).float().numpy()) for s in samples[:2]]
    assert shown == [[0, 2, 4, 6], [2, 2, 4, 4]]
    assert samples[0]["data_samples"].frame_dir == str(folders / "a whole")
    assert [bool(s["data_samples"].get("unreadable")) for s in samples] == [False, False, True]
    assert samples[2]["inputs"].unique().tolist() == [128]
    first, second = (line for line, _, _ in told)
    assert "holes: 2 of 4 frames are missing or don't decode, such as img_00001.jpg; " in first
    assert second.endswith(
        "get the folder again, or leave it out of the list; it counts as an error"
    )


def test_training_takes_another_folder(folders, told):
    data = frames_dataset(folders, FOLDERS[::2])
    assert [data[i]["data_samples"].gt_label.item() for i in range(2)] == [2, 2]
    assert told[0][0].endswith("; another video stands in for it")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("holes 7", r"line 1 of .*list\.txt is 'holes 7'; expected `folder frames label` with"),
        ("holes 0 1", "is 'holes 0 1'; expected .* at least 1"),
        ("holes seven 1", "is 'holes seven 1'; expected"),
        ("holes 7 2", "line 1 of .* has label 2; expected 0 to 1"),
    ],
)
def test_refused_lists_of_folders(folders, line, message):
    with pytest.raises(ValueError, match=message):
        frames_dataset(folders, [line], metainfo={"classes": ["left", "right"]})


def test_folders_without_labels_or_with_several(folders):
    data = frames_dataset(folders, ["a whole 7"], test_mode=True)
    assert data.get_data_info(0)["label"] == -1
    with pytest.raises(ValueError, match="multi_class is True; expected one label a line"):
        frames_dataset(folders, FOLDERS, multi_class=True, num_classes=3)


def test_missing_classes(tmp_path):
    write_clip(tmp_path / "a.mp4", 2)
    with pytest.raises(GloReSegError, match=r"metainfo.classes is none.txt, which is missing"):
        dataset(tmp_path, ["a.mp4 0"], metainfo={"classes": "none.txt"})
