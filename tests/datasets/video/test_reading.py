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
from glore_seg.datasets.video.writing import write_video  # noqa: E402
from tests.datasets.video.files import cut, images, numbers, write_clip, write_noise  # noqa: E402


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "ts", "mov"])
def test_frames_by_number_in_any_container(tmp_path, ending):
    scan = scan_video(write_clip(tmp_path / f"a.{ending}"))
    assert (scan.num_frames, scan.rate, scan.cut_short, scan.odd_rate()) == (24, 25, False, "")
    frames, notes = read_frames(scan, [20, 3, 3, 7])
    assert notes == {}
    assert numbers(frames) == [20, 3, 3, 7]
    frames[1][:] = 0  # an array of its own
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
        frames, notes = read_frames(scan, [index])
        assert (numbers(frames), notes) == ([index], {})


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_as_opencv_turns(tmp_path, degrees):
    path = write_clip(tmp_path / "a.mp4", rotation=degrees)
    (frame,), notes = read_frames(scan_video(path), [0])
    assert notes == {"turned": f"{path} is turned by {degrees} degrees by its header: read upright"}
    capture = cv2.VideoCapture(str(path))
    _, expected = capture.read()
    capture.release()
    np.testing.assert_array_equal(frame, expected[..., ::-1])
    assert frame.shape == ((48, 64, 3) if degrees == 180 else (64, 48, 3))


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (Fraction(30000, 1001), ""),
        (Fraction(24), ""),
        (Fraction(60000, 1001), "it has 59.94 frames a second"),
        (Fraction(25, 2), "it has 12.5 frames a second"),
    ],
)
def test_rates(tmp_path, rate, expected):
    scan = scan_video(write_clip(tmp_path / "a.mp4", rate=rate))
    assert scan.odd_rate() == expected
    assert scan.rate == pytest.approx(float(rate))
    assert numbers(read_frames(scan, [5, 23])[0]) == [5, 23]


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
    assert "its frame rate varies" in scan.odd_rate()
    assert numbers(read_frames(scan, [1, 11, 22])[0]) == [1, 11, 22]


def test_cut_short_is_read_as_far_as_it_goes(tmp_path):
    scan = scan_video(cut(write_noise(tmp_path / "a.mp4"), 0.5))
    assert scan.cut_short
    assert (scan.num_frames, scan.header_frames) == (12, 24)
    frames, notes = read_frames(scan, range(12))
    assert len(frames) == 12
    assert set(notes) <= {"damaged"}


def test_damage_in_the_middle_keeps_every_frame(tmp_path):
    path = write_noise(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(content)
    frames, notes = read_frames(scan_video(path), range(24))
    assert len(frames) == 24
    assert set(notes) <= {"damaged"}


def test_the_nearest_frame_stands_in(tmp_path):
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
    frames, notes = read_frames(scan, [3, 5, 6, 7])
    assert numbers(frames) == [3, 3, 7, 7]
    assert notes == {
        "damaged": f"{scan.path}: 2 of 4 frames don't decode; the nearest that do stand in for "
        "them: get it again"
    }


def test_no_video(tmp_path):
    with pytest.raises(UnreadableVideoError, match=r"none\.mp4 is missing: get it"):
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
    with pytest.raises(UnreadableVideoError, match=r"sound\.mp4 holds no images, only other"):
        scan_video(tmp_path / "sound.mp4")
    path = write_noise(tmp_path / "a.mp4")
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 4])
    with pytest.raises(UnreadableVideoError, match=r"holds no frames, though its header tells of"):
        scan_video(path)


def test_what_does_not_decode(tmp_path):
    path = write_noise(tmp_path / "a.mp4")
    content = path.read_bytes()
    begin = content.index(b"mdat") + 4
    path.write_bytes(content[:begin] + bytes(len(content) - begin))
    with pytest.raises(UnreadableVideoError, match="none of the 2 frames from 3 to 9 decodes"):
        read_frames(scan_video(path), [9, 3])


def test_wrong_arguments(tmp_path):
    scan = scan_video(write_clip(tmp_path / "a.mp4", 4))
    with pytest.raises(ValueError, match=r"frames \[4, -1\] are none of .*a\.mp4's; .* 0 to 3"):
        read_frames(scan, [0, 4, -1])
    with pytest.raises(ValueError, match="no frames for"):
        write_video(tmp_path / "b.mp4", [])
    with pytest.raises(ValueError, match=r"frames of 5 x 6 for .*; expected even sides"):
        write_video(tmp_path / "b.mp4", [np.zeros((5, 6, 3), np.uint8)])
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    "content",
    ["ffconcat version 1.0\nfile a.mp4\n", "#EXTM3U\n#EXTINF:1,\na.mp4\n#EXT-X-ENDLIST\n"],
)
@pytest.mark.parametrize("name", ["b.mp4", "b.m3u8"])
def test_lists_of_other_files_are_no_videos(tmp_path, name, content):
    """FFmpeg would follow them, wherever they point."""
    write_clip(tmp_path / "a.mp4", 2)
    (tmp_path / name).write_text(content)
    with pytest.raises(UnreadableVideoError, match=r"b\.\w+ cannot be opened .*such as MP4"):
        scan_video(tmp_path / name)
