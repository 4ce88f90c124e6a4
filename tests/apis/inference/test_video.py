"""Videos written and read by OpenCV."""

import cv2
import numpy as np
import pytest
from PIL import Image

from glore_seg.apis.inference import segment_video
from glore_seg.errors import DataError, GloReSegError


@pytest.fixture(scope="module")
def frames():
    """Five frames of 48 x 64, flat in blocks so that compression hardly changes them."""
    blocks = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 3), dtype=np.uint8)
    return blocks.repeat(16, axis=1).repeat(16, axis=2)


@pytest.fixture(scope="module")
def video(frames, tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "drive.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def read(path):
    capture, found = cv2.VideoCapture(str(path)), []
    while True:
        done, frame = capture.read()
        if not done:
            return np.array(found)[..., ::-1], capture.get(cv2.CAP_PROP_FPS)
        found.append(frame)


def test_overlays_and_label_maps(segmenter, video, tmp_path):
    decoded, _ = read(video)
    expected = [segmenter(np.ascontiguousarray(frame)) for frame in decoded]
    table = np.arange(100, 119, dtype=np.uint8)
    shares = segment_video(
        segmenter,
        video,
        tmp_path / "new" / "overlay.mp4",
        labels_dir=tmp_path / "labels",
        table=table,
        batch_size=2,
    )
    found, rate = read(tmp_path / "new" / "overlay.mp4")
    assert (len(found), rate) == (5, 10.0)
    assert np.abs(found[2].astype(int) - expected[2].overlay()).mean() < 12  # lossy
    names = sorted(file.name for file in (tmp_path / "labels").iterdir())
    assert names == [f"{index:06}.png" for index in range(5)]
    agree = []
    for name, one in zip(names, expected, strict=True):
        labels = np.array(Image.open(tmp_path / "labels" / name))
        agree.append(np.mean(labels == table[one.labels]))
    assert np.mean(agree) > 0.999
    mean = np.mean([one.shares()["road"] for one in expected])
    assert shares["road"] == pytest.approx(mean, abs=1e-3)
    assert sum(shares.values()) == pytest.approx(1)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["labels", "new"]


def test_does_not_replace_files_by_default(segmenter, video, tmp_path):
    out, labels = tmp_path / "overlay.mp4", tmp_path / "labels"
    out.write_bytes(b"mine")
    with pytest.raises(GloReSegError, match=r"overlay\.mp4"):
        segment_video(segmenter, video, out)
    labels.mkdir()
    (labels / "mine.txt").write_text("mine")
    with pytest.raises(GloReSegError, match="labels"):
        segment_video(segmenter, video, tmp_path / "other.mp4", labels_dir=labels)
    segment_video(segmenter, video, out, labels_dir=labels, overwrite=True)
    assert len(read(out)[0]) == 5
    assert sorted(file.name for file in labels.iterdir())[-2:] == ["000004.png", "mine.txt"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["labels", "overlay.mp4"]


def test_an_interrupted_video_leaves_nothing(segmenter, video, tmp_path, monkeypatch):
    run, calls = segmenter.predictor.predict_batch, []

    def interrupt(batch, *, scores):
        calls.append(len(batch))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run(batch, scores=scores)

    monkeypatch.setattr(segmenter.predictor, "predict_batch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        segment_video(segmenter, video, tmp_path / "o.mp4", labels_dir=tmp_path / "labels")
    assert list(tmp_path.iterdir()) == []


def test_rejects_corrupted_videos(segmenter, video, tmp_path):
    with pytest.raises(GloReSegError, match=r"none\.mp4"):
        segment_video(segmenter, tmp_path / "none.mp4", tmp_path / "o.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:1000])
    for name in ("text.mp4", "cut.mp4"):
        with pytest.raises(DataError, match=name):
            segment_video(segmenter, tmp_path / name, tmp_path / "o.mp4")
    # An AVI has its index at the end and can be read to where it is cut.
    complete = tmp_path / "complete.avi"
    writer = cv2.VideoWriter(str(complete), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for shade in range(30):
        writer.write(np.full((48, 64, 3), 8 * shade, np.uint8))
    writer.release()
    data = complete.read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"cut\.avi .*30 frames"):
        segment_video(segmenter, tmp_path / "cut.avi", tmp_path / "o.mp4")
    assert not (tmp_path / "o.mp4").exists()
