"""Videos written and read by OpenCV."""

import cv2
import numpy as np
import pytest
from PIL import Image

from glore_seg.apis.inference import segment_video
from glore_seg.errors import DataError, OutputError


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Five frames of 48 x 64, flat in blocks so that compression hardly changes them."""
    path = tmp_path_factory.mktemp("video") / "drive.mp4"
    blocks = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 3), dtype=np.uint8)
    write(path, "mp4v", blocks.repeat(16, axis=1).repeat(16, axis=2))
    return path


def write(path, code, frames):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 10.0, (64, 48))
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()


def read(path):
    capture, found = cv2.VideoCapture(str(path)), []
    while (frame := capture.read())[0]:
        found.append(frame[1])
    return np.array(found)[..., ::-1], capture.get(cv2.CAP_PROP_FPS)


def test_overlays_and_label_maps(segmenter, video, tmp_path):
    decoded, _ = read(video)
    expected = [segmenter(np.ascontiguousarray(frame)) for frame in decoded]
    table = np.arange(100, 119, dtype=np.uint8)
    out, options = tmp_path / "new" / "overlay.mp4", {"table": table, "batch_size": 2}
    shares = segment_video(segmenter, video, out, labels_dir=tmp_path / "labels", **options)
    found, rate = read(out)
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
    with pytest.raises(OutputError, match=r"overlay\.mp4"):
        segment_video(segmenter, video, out)
    labels.mkdir()
    (labels / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="labels"):
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
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:1000])
    # An AVI has its index at the end and can be read to where it is cut.
    avi = tmp_path / "cut.avi"
    write(avi, "MJPG", [np.full((48, 64, 3), 8 * shade, np.uint8) for shade in range(30)])
    avi.write_bytes(avi.read_bytes()[: avi.stat().st_size // 2])
    for name in ("none.mp4", "text.mp4", "cut.mp4", r"cut.avi .*30 frames"):
        path = tmp_path / name.split()[0]
        with pytest.raises(DataError, match=name):
            segment_video(segmenter, path, tmp_path / "o.mp4")
    assert not (tmp_path / "o.mp4").exists()
