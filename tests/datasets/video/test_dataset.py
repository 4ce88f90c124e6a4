import logging
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper

from glore_seg.errors import ConfigError, DataError

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

from glore_seg.datasets.video.dataset import CheckedRawframeDataset, CheckedVideoDataset
from glore_seg.datasets.video.transforms import (
    CheckedFrameDecode,
    CheckedVideoDecode,
    CheckedVideoInit,
    RepeatOneFrame,
)
from glore_seg.engine.nonfinite_loss import NonFiniteLossCheck, NonFiniteLossError
from tests.datasets.video.files import cut, images, numbers, write_clip, write_noise


@pytest.fixture
def logged(monkeypatch):
    """Lines of the log."""
    lines = []
    monkeypatch.setattr(
        "glore_seg.datasets.video.transforms.print_log",
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


def dataset(root, lines, *, kind=CheckedVideoDataset, **options):
    (root / "list.txt").write_text("".join(f"{line}\n" for line in lines))
    settings = {
        "data_root": str(root),
        "ann_file": "list.txt",
        "data_prefix": {"video": ""},
        "pipeline": pipeline(),
        **options,
    }
    return kind(**settings)


@pytest.fixture
def corrupted(tmp_path):
    """A folder with corrupted videos of all kinds, and a good one."""
    write_clip(tmp_path / "a good.mp4")
    cut(write_clip(tmp_path / "truncated.mp4"), 0.5)
    (tmp_path / "zero.mp4").touch()
    path = write_noise(tmp_path / "no_frames.mp4")
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 4])
    return tmp_path


NAMES = ("truncated.mp4", "zero.mp4", "no_frames.mp4", "missing.mp4")
LINES = ["a good.mp4 2", *(f"{name} {i}" for i, name in enumerate(NAMES))]


def test_training_goes_on_with_another_video(corrupted, logged):
    data = dataset(corrupted, LINES)
    for _ in range(2):
        for index in range(5):
            sample = data[index]
            assert sample["data_samples"].gt_label.tolist() == [2]
            assert sample["inputs"].shape == (1, 3, 4, 32, 32)
            assert sample["data_samples"].filename == str(corrupted / "a good.mp4")
    lines = sorted(line for line, _, _ in logged)
    assert len(lines) == 4  # each once
    for name, line in zip(sorted(NAMES), lines, strict=True):
        assert line.startswith(str(corrupted / name))
        assert line.endswith("; another video replaces it")
    assert {(logger, level) for _, logger, level in logged} == {("current", logging.WARNING)}


def test_a_loss_of_nan_names_the_videos(corrupted):
    batch = pseudo_collate([dataset(corrupted, LINES)[0]])
    wrapper = OptimWrapper(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0))
    check = NonFiniteLossCheck(SimpleNamespace(iter=4, optim_wrapper=wrapper), "stop")
    check.before_iter(batch)
    loss = torch.tensor(float("nan"), requires_grad=True)
    message = r"iteration 5 \(nan\): /\S+/a good\.mp4\. The weights"
    with pytest.raises(NonFiniteLossError, match=message), check.active():
        wrapper.update_params(loss)


def test_training_ends_if_no_video_can_be_read(corrupted, logged):
    data = dataset(corrupted, LINES[2:4], max_refetch=5)
    with pytest.raises(DataError, match=r"^6 videos of \S+/list\.txt in a row cannot be read"):
        data[0]


def test_testing_leaves_none_out(corrupted, logged):
    data = dataset(corrupted, LINES, test_mode=True, pipeline=pipeline(clips=2))
    samples = [data[index] for index in range(5)]
    assert [s["data_samples"].gt_label.item() for s in samples] == [2, 0, 1, 2, 3]
    assert {s["inputs"].shape for s in samples} == {(2, 3, 4, 32, 32)}
    assert samples[0]["data_samples"].get("unreadable") is None
    assert "zero.mp4" in samples[2]["data_samples"].unreadable
    assert samples[2]["inputs"].unique().tolist() == [128]
    assert len(logged) == 4
    assert all(line.endswith("; it counts as an error") for line, _, _ in logged)


def test_truncated_and_rotated_videos_are_used(tmp_path, logged):
    cut(write_noise(tmp_path / "short.mp4"), 0.5)
    write_clip(tmp_path / "rotated.mp4", rotation=90)
    data = dataset(tmp_path, ["short.mp4 0", "rotated.mp4 1"], test_mode=True)
    for _ in range(2):
        samples = [data[i]["data_samples"] for i in range(2)]
        assert [sample.gt_label.item() for sample in samples] == [0, 1]
        assert [sample.get("unreadable") for sample in samples] == [None, None]
    (text,) = (line for line, _, _ in logged if "cannot be read" not in line)
    assert "short.mp4 is truncated: clips are sampled from 12 of 24 frames" in text


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
    ("lines", "message"),
    [
        (["a.mp4 0", "a.mp4"], r"line 2 of .*list\.txt is 'a\.mp4'"),
        (["a.mp4 left"], r"line 1 of .*list\.txt is 'a\.mp4 left'"),
        (["a.mp4 2"], "line 1 of .* has label 2; expected 0 to 1"),
        (["a.mp4 -1"], "line 1 of .* has label -1; expected 0 to 1"),
        ([], r"none of the 0 videos in .*list\.txt exists"),
        (["b.mp4 0", "c.mp4 1"], r"none of the 2 videos in .*list\.txt exists"),
    ],
)
def test_rejects_lists(tmp_path, lines, message):
    write_clip(tmp_path / "a.mp4", 2)
    with pytest.raises(DataError, match=message):
        dataset(tmp_path, lines, metainfo={"classes": ["left", "right"]})


def test_rejects_missing_files_and_pipelines(tmp_path):
    write_clip(tmp_path / "a.mp4", 2)
    with pytest.raises(DataError, match=r"none\.txt is missing"):
        dataset(tmp_path, ["a.mp4 0"], ann_file="none.txt")
    with pytest.raises(DataError, match=r"classes is none.txt, which is missing"):
        dataset(tmp_path, ["a.mp4 0"], metainfo={"classes": "none.txt"})
    with pytest.raises(ConfigError, match="has no CheckedVideoDecode"):
        dataset(tmp_path, ["a.mp4 0"], pipeline=[CheckedVideoInit()])
    (tmp_path / "text.txt").write_bytes(b"a.mp4 0\n\xff.mp4 0\n")
    with pytest.raises(DataError, match=r"text\.txt is not UTF-8 text"):
        dataset(tmp_path, [], ann_file="text.txt")


def frames_dataset(root, lines, **options):
    steps = [CheckedFrameDecode() if isinstance(s, CheckedVideoDecode) else s for s in pipeline()]
    settings = {"data_prefix": {"img": ""}, "pipeline": steps[1:], **options}
    return dataset(root, lines, kind=CheckedRawframeDataset, **settings)


@pytest.fixture
def folders(tmp_path):
    """Frames of a clip: complete, and with one missing and one corrupted."""
    for name in ("a good", "holes"):
        (tmp_path / name).mkdir()
        for number, image in enumerate(images(7), start=1):
            cv2.imwrite(str(tmp_path / name / f"img_{number:05}.jpg"), image[..., ::-1])
    (tmp_path / "holes/img_00001.jpg").unlink()
    (tmp_path / "holes/img_00007.jpg").write_bytes(b"")
    cv2.imwrite(str(tmp_path / "holes/img_00005.jpg"), np.full((24, 32, 3), 32, np.uint8))
    return tmp_path


FOLDERS = ["a good 7 2", "holes 7 1", "missing 7 0"]


def test_folders_with_missing_frames(folders, logged):
    data = frames_dataset(folders, FOLDERS, test_mode=True)
    samples = [data[i] for i in range(3)]
    assert [s["data_samples"].gt_label.item() for s in samples] == [2, 1, 0]
    shown = [numbers(s["inputs"][0].permute(1, 2, 3, 0).float().numpy()) for s in samples[:2]]
    assert shown == [[0, 2, 4, 6], [2, 2, 4, 4]]
    assert samples[0]["data_samples"].frame_dir == str(folders / "a good")
    assert [bool(s["data_samples"].get("unreadable")) for s in samples] == [False, False, True]
    assert samples[2]["inputs"].unique().tolist() == [128]
    first, second = (line for line, _, _ in logged)
    assert "holes: 2 of 4 frames cannot be read, such as 1; " in first
    assert second.endswith("; it counts as an error")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("holes 7", "line 1 of .* is 'holes 7'; expected `folder frames label`"),
        ("holes 0 1", "is 'holes 0 1'; expected"),
        ("holes seven 1", "is 'holes seven 1'; expected"),
        ("holes 7 2", "line 1 of .* has label 2; expected 0 to 1"),
    ],
)
def test_rejects_lists_of_folders(folders, line, message):
    with pytest.raises(DataError, match=message):
        frames_dataset(folders, [line], metainfo={"classes": ["left", "right"]})


def test_folders_without_labels(folders):
    data = frames_dataset(folders, ["a good 7", "holes 7 -1"], test_mode=True)
    assert [data[i]["data_samples"].gt_label.item() for i in range(2)] == [-1, -1]
