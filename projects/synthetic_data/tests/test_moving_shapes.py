import cv2
import numpy as np
import pytest

pytest.importorskip("av")

from glore_seg.datasets.video.reading import read_frames, scan_video
from projects.synthetic_data.moving_shapes import (
    MOTIONS,
    Shape,
    ShapeScene,
    compose_shapes,
    make_moving_shapes,
    paint_frame,
)


def make(root, **options):
    settings = {"num_train": 8, "num_val": 2, "num_frames": 4, "size": (32, 48), **options}
    return make_moving_shapes(root, progress=False, **settings)


def test_lists_and_files_hold_what_was_drawn(tmp_path):
    root = make(tmp_path / "data", raw_frames=True)
    lines = (root / "lists/train.txt").read_text().splitlines()
    assert (len(lines), lines[0]) == (8, "train/right_000000.mp4 0")
    assert lines[7] == "train/shrinking_000007.mp4 7"
    assert (root / "lists/classes.txt").read_text().split() == list(MOTIONS)
    assert (root / "lists/val_frames.txt").read_text().splitlines()[1] == "val/left_000001 4 1"
    scan = scan_video(root / "videos/val/left_000001.mp4")
    assert (scan.num_frames, scan.rate) == (4, 25)
    frames, _ = read_frames(scan, range(4))
    stored = sorted((root / "frames/val/left_000001").iterdir())
    assert [path.name for path in stored] == [f"img_0000{i}.jpg" for i in range(1, 5)]
    drawn = [paint_frame(compose_shapes(0, "val", 1), i, (32, 48)) for i in range(4)]
    for given in (frames, [cv2.imread(str(path))[..., ::-1] for path in stored]):
        # brightness alone: colors are stored at half the resolution
        errors = [[np.abs(_gray(one) - _gray(other)).mean() for other in drawn] for one in given]
        assert np.argmin(errors, axis=1).tolist() == [0, 1, 2, 3]
        assert np.diag(errors).max() < 2


def _gray(image):
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(float)


@pytest.mark.parametrize("label", range(8))
def test_a_frame_tells_nothing_of_the_class(label):
    """The states of frame 20 fill their ranges evenly in each class, whatever the motion."""
    scenes = [compose_shapes(0, "train", label + 8 * i) for i in range(200)]
    states = np.array([s.state(shape, 20) for s in scenes for shape in s.shapes])
    for values in states.T:  # Kolmogorov and Smirnov: 1.95 / sqrt(400) is passed once in 1000
        gap = np.abs(np.sort(values) - (np.arange(400) + 0.5) / 400).max()
        assert gap < 1.95 / 20


@pytest.mark.parametrize("label", range(8))
def test_motions_on_the_image(label):
    """Right is right, clockwise is as a clock seen, growing is larger: measured on one shape."""
    scene = compose_shapes(0, "train", label)
    corners, start = scene.shapes[0].corners, np.array((0.4, 0.4, 0.1, 0.3))
    shape = Shape(corners, (255, 255, 255), (255, 0, 0), start)
    scene = ShapeScene(label, (shape,), scene.velocity, np.zeros((4, 4, 3)))
    before, after = (paint_frame(scene, frame, (128, 128)).astype(float) for frame in (0, 4))
    shift = _center(after[..., 0]) - _center(before[..., 0])
    kind, sign = label // 2, (1, -1)[label % 2]
    if kind < 2:
        assert 8 < sign * shift[kind] < 24
        assert abs(shift[1 - kind]) < 1
    elif kind == 2:  # of the mark about the middle; y points down: positive is clockwise
        a, b = (_center(p[..., 0] - p[..., 1]) - _center(p[..., 0]) for p in (before, after))
        assert sign * (a[0] * b[1] - a[1] * b[0]) > 0
    else:
        assert sign * np.log((after[..., 0] > 128).sum() / (before[..., 0] > 128).sum()) > 0.1


def _center(weights):
    y, x = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


def test_what_leaves_comes_in_on_the_other_side():
    scene = compose_shapes(0, "train", 0)
    scene.background[:] = 0
    here = paint_frame(scene, 0, (64, 64))
    for shape in scene.shapes:
        shape.start[0] = (shape.start[0] + 0.5) % 1
    there = paint_frame(scene, 0, (64, 64))
    # OpenCV smooths what it clips at the border a little differently
    assert np.abs(np.roll(here, 32, axis=1).astype(int) - there).mean() < 0.05
    assert np.abs(here.astype(int) - there).mean() > 10


def test_a_larger_dataset_contains_the_smaller(tmp_path):
    small, larger = make(tmp_path / "data"), make(tmp_path / "more", num_val=3)
    for video in small.rglob("*.mp4"):
        assert (larger / video.relative_to(small)).read_bytes() == video.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_val": -1}, "num_val is -1; expected 0 or more"),
        ({"num_frames": 1}, "num_frames is 1; expected 2 to 1000"),
        ({"size": (33, 48)}, r"size is \(33, 48\); expected an even height and width of 32 to 512"),
    ],
)
def test_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make(tmp_path / "data", **options)
    assert not (tmp_path / "data").exists()
