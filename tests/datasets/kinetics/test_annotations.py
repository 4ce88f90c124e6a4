import pytest

from glore_seg.datasets.kinetics.annotations import (
    Segment,
    class_names,
    find_videos,
    paths_of,
    read_segments,
)
from glore_seg.errors import DataError

COLUMNS = "label,youtube_id,time_start,time_end,split,is_cc"


def write(path, *lines, columns=COLUMNS):
    path.write_text("".join(f"{line}\n" for line in (columns, *lines)))
    return path


def test_segments(tmp_path):
    path = write(
        tmp_path / "val.csv",
        '"arguing, loudly",-0aBc_9,7,17,validate,0',
        "yoga,zz,60.0,70.0,train,1",
    )
    first, second = read_segments(path)
    assert first == Segment("-0aBc_9", 7, 17, "val", "arguing, loudly")
    assert first.stem == "-0aBc_9_000007_000017"
    assert second == Segment("zz", 60, 70, "train", "yoga")
    unlabelled = write(tmp_path / "test.csv", "a,1,11,test", columns=COLUMNS[6:-6])
    assert read_segments(unlabelled) == [Segment("a", 1, 11, "test", None)]
    marked = write(tmp_path / "marked.csv", "yoga,a,1,11,val,0", columns=f"\ufeff{COLUMNS}")
    assert read_segments(marked) == [Segment("a", 1, 11, "val", "yoga")]


@pytest.mark.parametrize(
    ("columns", "line", "message"),
    [
        ("label,youtube_id", "a,b", r"val\.csv has no column time_start, time_end, split"),
        (COLUMNS, "a,b,x,2,val,0", r"line 2 of .*val\.csv has .*'time_start': 'x'"),
        (COLUMNS, "a,b,1,2,dev,0", r"'split': 'dev'"),
        (COLUMNS, "a,b", r"'time_start': None"),
        (COLUMNS, "a,b,1e400,2,val,0", r"'time_start': '1e400'"),
        (COLUMNS, "a,b,-1,2,val,0", r"'time_start': '-1'"),
        (COLUMNS, "a,,1,2,val,0", r"'youtube_id': ''"),
        ("label,split,time_start,time_end,youtube_id", "a,val,1,2", "'youtube_id': None"),
        (COLUMNS, f"{'a' * 200_000},b,1,2,val,0", r"line 2 of .* is not CSV"),
    ],
)
def test_rejects_lines(tmp_path, columns, line, message):
    with pytest.raises(DataError, match=message):
        read_segments(write(tmp_path / "val.csv", line, columns=columns))


def test_rejects_missing_empty_and_binary_files(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv is missing"):
        read_segments(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"val\.csv has no lines"):
        read_segments(write(tmp_path / "val.csv"))
    (tmp_path / "val.csv").write_bytes(b"label,\xff\n")
    with pytest.raises(DataError, match=r"val\.csv is not UTF-8 text"):
        read_segments(tmp_path / "val.csv")


def test_classes(tmp_path):
    segments = [Segment("a", 0, 1, "val", name) for name in ("yoga", "archery", "yoga", None)]
    assert class_names(segments, None) == ["archery", "yoga"]
    file = tmp_path / "classes.txt"
    file.write_text("yoga\nbowling\narchery\n\n")
    assert class_names(segments, file) == ["yoga", "bowling", "archery"]
    file.write_text("yoga\nyoga\n")
    with pytest.raises(DataError, match=r"it lacks \['archery'\] and repeats 1 lines"):
        class_names(segments, file)
    with pytest.raises(DataError, match="the CSV files name no classes"):
        class_names(segments[-1:], None)


def test_finds_videos(tmp_path):
    for name in (
        "a_000001_000011.mp4",
        "brush_teeth/a_000001_000011.MP4",
        "b.webm",
        "notes.txt",
        ".c.mp4",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    videos = find_videos(tmp_path)
    assert videos == {
        "a_000001_000011": ["a_000001_000011.mp4", "brush_teeth/a_000001_000011.MP4"],
        "b": ["b.webm"],
    }
    segment = Segment("a", 1, 11, "val", "Brush teeth")
    assert paths_of(segment, videos)[0] == "brush_teeth/a_000001_000011.MP4"
    assert paths_of(Segment("a", 1, 11, "val", "yoga"), videos)[0] == "a_000001_000011.mp4"
    assert paths_of(Segment("b", 1, 11, "val", "yoga"), videos) == ["b.webm"]
    assert paths_of(Segment("c", 1, 11, "val", "yoga"), videos) == []
    with pytest.raises(DataError, match=r"no video \(\.mp4, .*brush_teeth/none or below"):
        find_videos(tmp_path / "brush_teeth" / "none")
