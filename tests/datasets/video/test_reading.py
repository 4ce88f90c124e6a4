from fractions import Fraction

import cv2
import numpy as np
import pytest

av = pytest.importorskip("av")

from glore_seg.datasets.video.reading import (  # noqa: E402
    UnreadableVideoError,
    read_frames,
    scan_video,
)
from glore_seg.errors import DataError  # noqa: E402
from tests.datasets.video.files import cut, images, numbers, write_clip, write_noise  # noqa: E402


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "ts", "mov"])
def test_frames_by_number_in_any_container(tmp_path, ending):
    scan = scan_video(write_clip(tmp_path / f"a.{ending}"))
    assert (scan.num_frames, scan.rate, scan.is_truncated) == (24, 25, False)
    frames, warning = read_frames(scan, [20, 3, 3, 7])
    assert warning == ""
    assert numbers(frames) == [20, 3, 3, 7]
    frames[1][:] = 0  # a separate array
    assert numbers(frames) == [20, 0, 3, 7]
    assert (frames[0].shape, frames[0].dtype) == ((48, 64, 3), np.uint8)


def test_seeking_changes_nothing(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x264-params": "keyint=6:open-gop=1:bframes=2:b-adapt=0"}
        for image in images():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    scan = scan_video(tmp_path / "a.mp4")
    for index in range(24):
        frames, warning = read_frames(scan, [index])
        assert (numbers(frames), warning) == ([index], "")


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_as_by_opencv(tmp_path, degrees):
    path = write_clip(tmp_path / "a.mp4", rotation=degrees)
    (frame,), _ = read_frames(scan_video(path), [0])
    capture = cv2.VideoCapture(str(path))
    _, expected = capture.read()
    capture.release()
    np.testing.assert_array_equal(frame, expected[..., ::-1])
    assert frame.shape == ((48, 64, 3) if degrees == 180 else (64, 48, 3))


def test_varying_rate(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for i, image in enumerate(images()):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = 40 * i + 7 * (i % 3), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    scan = scan_video(tmp_path / "a.mp4")
    assert numbers(read_frames(scan, [1, 11, 22])[0]) == [1, 11, 22]


def test_reads_truncated_and_corrupted_videos(tmp_path):
    path = write_noise(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    scan = scan_video(cut(path, 0.5))
    assert scan.is_truncated
    assert (scan.num_frames, scan.header_frames) == (12, 24)
    assert len(read_frames(scan, range(12))[0]) == 12
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(content)
    assert len(read_frames(scan_video(path), range(24))[0]) == 24


def test_the_nearest_frame_replaces_a_corrupted_one(tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for i, image in enumerate(images()):
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                broken = av.Packet(bytes(packet.size)) if i in (5, 6) else packet
                broken.stream = stream
                broken.pts = broken.dts = packet.pts
                broken.time_base = packet.time_base
                container.mux(broken)
    scan = scan_video(tmp_path / "a.mkv")
    frames, warning = read_frames(scan, [3, 5, 6, 7])
    assert numbers(frames) == [3, 3, 7, 7]
    assert warning.startswith(f"{scan.path}: 2 of 4 frames cannot be read, such as 5")


def test_no_video(tmp_path):
    with pytest.raises(UnreadableVideoError, match=r"none\.mp4 is missing"):
        scan_video(tmp_path / "none.mp4")
    for content in (b"", b"no video"):
        (tmp_path / "a.mp4").write_bytes(content)
        with pytest.raises(UnreadableVideoError, match=rf"as a video \(.*; {len(content)} bytes\)"):
            scan_video(tmp_path / "a.mp4")
    cut(write_clip(tmp_path / "b.mp4"), 0.9)  # the header is at the end
    with pytest.raises(UnreadableVideoError, match=r"b\.mp4 cannot be opened as a video"):
        scan_video(tmp_path / "b.mp4")


def test_no_frames(tmp_path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(UnreadableVideoError, match=r"sound\.mp4 has no video stream"):
        scan_video(tmp_path / "sound.mp4")
    path = write_noise(tmp_path / "a.mp4")
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 4])
    with pytest.raises(UnreadableVideoError, match=r"holds no frames, its header declares 24"):
        scan_video(path)


def test_rejects_videos_that_do_not_decode(tmp_path):
    path = write_noise(tmp_path / "a.mp4")
    content = path.read_bytes()
    begin = content.index(b"mdat") + 4
    path.write_bytes(content[:begin] + bytes(len(content) - begin))
    with pytest.raises(UnreadableVideoError, match="none of 2 frames from 3 to 9"):
        read_frames(scan_video(path), [9, 3])


def test_rejects_frames_out_of_range(tmp_path):
    scan = scan_video(write_clip(tmp_path / "a.mp4", 4))
    with pytest.raises(DataError, match=r"frames \[4, -1\] do not exist .*0 to 3"):
        read_frames(scan, [0, 4, -1])
    with pytest.raises(DataError, match=r"expected one or more"):
        read_frames(scan, [])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.mp4", "ffconcat version 1.0\nfile a.mp4\n"),
        ("b.m3u8", "#EXTM3U\n#EXTINF:1,\na.mp4\n#EXT-X-ENDLIST\n"),
    ],
)
def test_rejects_play_lists(tmp_path, name, content):
    """FFmpeg would follow them, wherever they point."""
    write_clip(tmp_path / "a.mp4", 2)
    (tmp_path / name).write_text(content)
    with pytest.raises(UnreadableVideoError, match=r"b\.\w+ cannot be opened .*such as MP4"):
        scan_video(tmp_path / name)
