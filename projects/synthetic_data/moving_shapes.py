"""Draw a small action dataset: videos of shapes whose class is their motion and nothing else.

A shape's state is its position, its turn and its size, each taken from a range that wraps around
and begun anywhere in it, so that every frame of every class has the very same distribution:

| what moves | forwards | backwards |
| --- | --- | --- |
| position, across | right | left |
| position, down | down | up |
| turn | clockwise | counter-clockwise |
| size | growing | shrinking |

Mirroring or reversing a video therefore changes its class.

Example:
    python -m projects.synthetic_data.moving_shapes data/moving_shapes --num-train 960
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from glore_seg.cli import run_tool
from glore_seg.errors import ConfigError
from glore_seg.utils.dependencies import require
from glore_seg.utils.files import atomic_write, write_lines
from projects.synthetic_data.output_folder import DatasetFolder, check_range, dataset_parser

SPLITS = ("train", "val")

MOTIONS = (
    *("right", "left", "down", "up"),
    *("clockwise", "counter-clockwise", "growing", "shrinking"),
)
"""The classes. Class c moves the component ``c // 2`` of the state, forwards where c is even."""

# Least and greatest change of each component of the state in one frame.
_SPEEDS = ((0.02, 0.04), (0.02, 0.04), (0.014, 0.028), (0.015, 0.03))
_NUM_SHAPES = 2
_LEAST_CONTRAST = 90  # between a shape and its mark, summed over the channels
_SIZES = (0.11, 0.33)  # radii of a shape, in shorter sides of the image
_FINER = 2  # drawn so many times larger, then averaged
_SHIFT = 4  # bits behind the point in OpenCV's coordinates
_MARK = (0.45, 0.3)  # distance of the mark from the middle, and its radius, in radii
_DRAWING = 1  # raised whenever the same settings would give other images


@dataclass(frozen=True)
class Shape:
    """One shape; its state is position across and down, turn clockwise and size, each in [0, 1)."""

    corners: np.ndarray  # its outline (K, 2) in a circle of radius 1, x across and y down
    color: Sequence[int]  # RGB, 0 to 255
    mark: Sequence[int]  # RGB of a spot on one side of it, which shows how it turns
    start: np.ndarray  # its state in frame 0, (4,)


@dataclass(frozen=True)
class ShapeScene:
    """A video before it is drawn."""

    label: int  # index of the motion in MOTIONS
    shapes: tuple[Shape, ...]  # from back to front
    velocity: np.ndarray  # change of every shape's state from frame to frame, (4,)
    background: np.ndarray  # RGB values (4, 4, 3) in 0 to 255, spread smoothly over the image

    def state(self, shape: Shape, frame: int) -> np.ndarray:
        """Return a shape's state (4,) in a frame; all components wrap around at 1."""
        return (shape.start + self.velocity * frame) % 1.0


def compose_shapes(seed: int, split: str, index: int) -> ShapeScene:
    """Draw a video's content, which depends on the arguments alone; its class is ``index % 8``."""
    rng = np.random.default_rng([seed, SPLITS.index(split), index])
    label = index % len(MOTIONS)
    component, backwards = divmod(label, 2)
    velocity = np.zeros(4)
    velocity[component] = rng.uniform(*_SPEEDS[component]) * (-1 if backwards else 1)
    shapes = tuple(_shape(rng) for _ in range(_NUM_SHAPES))
    return ShapeScene(label, shapes, velocity, background=rng.uniform(40, 215, (4, 4, 3)))


def _shape(rng: np.random.Generator) -> Shape:
    count = int(rng.integers(3, 7))
    turns = (np.arange(count) + rng.uniform(-0.2, 0.2, count)) / count
    radii = rng.uniform(0.75, 1.0, count)
    corners = radii[:, None] * np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)], 1)
    color = rng.integers(0, 256, 3)
    mark = rng.integers(0, 256, 3)
    while np.abs(color - mark).sum() < _LEAST_CONTRAST:
        mark = rng.integers(0, 256, 3)
    return Shape(corners, color.tolist(), mark.tolist(), rng.uniform(0, 1, 4))


def paint_frame(scene: ShapeScene, frame: int, size: tuple[int, int]) -> np.ndarray:
    """Draw frame number ``frame`` of a scene, (H, W, 3), RGB, uint8; ``size`` is (H, W) in pixels.

    What leaves the image on one side comes in on the other.
    """
    height, width = (side * _FINER for side in size)
    canvas = cv2.resize(
        scene.background.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    ).astype(np.uint8)
    for shape in scene.shapes:
        _paint_shape(canvas, shape, scene.state(shape, frame))
    return cv2.resize(canvas, size[::-1], interpolation=cv2.INTER_AREA)


def _paint_shape(canvas: np.ndarray, shape: Shape, state: np.ndarray) -> None:
    height, width = canvas.shape[:2]
    across, down, turn, growth = state
    least, greatest = _SIZES
    radius = min(height, width) * least * (greatest / least) ** growth
    angle = 2 * np.pi * turn
    # y points down, so that this matrix turns clockwise
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = radius * shape.corners @ rotation.T  # (K, 2)
    mark = radius * _MARK[0] * rotation[:, 0]
    spot = int(_MARK[1] * radius * 2**_SHIFT)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            middle = np.array([(across + dx) * width, (down + dy) * height])
            cv2.fillPoly(canvas, [_fixed(corners + middle)], shape.color, cv2.LINE_AA, _SHIFT)
            center = _fixed(mark + middle).tolist()
            cv2.circle(canvas, center, spot, shape.mark, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * 2**_SHIFT).astype(np.int32)


def write_video(
    path: str | Path,
    frames: Sequence[np.ndarray],
    *,
    rotation: int = 0,
    options: dict[str, str] | None = None,
) -> None:
    """Write 25 frames a second, atomically: nearly lossless H.264, or MPEG-4 without its encoder.

    Args:
        path: The file; its suffix selects the container, such as ``.mp4``.
        frames: Images (H, W, 3), RGB, uint8, all of one size; H and W are even.
        rotation: Counter-clockwise degrees by which players are told to rotate the frames.
        options: Of the container, such as ``{"movflags": "faststart"}``.
    """
    av = require("av", "video")
    name = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with (
        atomic_write(path) as temporary,
        av.open(str(temporary), "w", container_options=options or {}) as container,
    ):
        stream = container.add_stream(name, rate=25)
        stream.height, stream.width, _ = frames[0].shape
        stream.pix_fmt = "yuv420p"
        # with one thread the bytes depend on the images alone
        stream.codec_context.thread_count = 1
        stream.options = {"crf": "16", "preset": "fast"} if name == "libx264" else {"qscale": "2"}
        if rotation:
            stream.set_display_rotation(rotation)
        for image in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def make_moving_shapes(
    root: str | Path,
    *,
    num_train: int = 960,
    num_val: int = 240,
    num_frames: int = 32,
    size: tuple[int, int] = (64, 64),
    seed: int = 0,
    raw_frames: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> Path:
    """Make a dataset of small videos with mmaction2's lists, and return its folder.

    Writes ``videos/SPLIT/CLASS_NUMBER.mp4`` at 25 frames a second and, to ``lists``, ``train.txt``
    and ``val.txt`` with ``path label`` lines (paths from ``videos``) and ``classes.txt``. A video
    depends on the seed, its split and its number alone, so that a larger dataset contains the
    smaller one. A second call with the same settings goes on where the first was interrupted.

    Args:
        root: Folder to write to; must be new, empty or made by this function.
        num_train: Videos for training, at least 0; classes take turns.
        num_val: Videos for validation, at least 0.
        num_frames: Frames a video, 2 to 1000.
        size: Height and width in pixels: even, 32 to 512.
        seed: At least 0.
        raw_frames: Write ``frames/SPLIT/CLASS_NUMBER/img_00001.jpg`` too, with
            ``train_frames.txt`` and ``val_frames.txt`` of ``folder frames label`` lines.
        overwrite: Remove a dataset made with other settings first.
        progress: Show a bar with the time left.

    Raises:
        ConfigError: A count, the size or the seed is out of its range.
        OutputError: The folder holds other files, or other settings' without ``overwrite``.
    """
    root, size = Path(root), (size[0], size[1])
    check_range(0, num_train=num_train, num_val=num_val, seed=seed)
    check_range(2, 1000, num_frames=num_frames)
    if not all(32 <= side <= 512 and side % 2 == 0 for side in size):
        raise ConfigError(
            f"size is {size}; expected an even height and width of 32 to 512, as (64, 64)"
        )
    counts = {"train": num_train, "val": num_val}
    settings = {"drawing": _DRAWING, "counts": counts, "num_frames": num_frames}
    settings |= {"size": list(size), "seed": seed, "raw_frames": raw_frames}
    parts = ("videos", "frames", "lists")
    folder = DatasetFolder(root, "moving_shapes.json", "moving shapes", parts)
    if folder.claim(settings, overwrite=overwrite).get("complete"):
        return root

    targets = {
        root / "videos" / split / f"{_video_name(index)}.mp4": (split, index)
        for split, count in counts.items()
        for index in range(count)
    }
    for video, (split, index) in folder.write_missing(settings, targets, progress=progress):
        scene = compose_shapes(seed, split, index)
        frames = [paint_frame(scene, frame, size) for frame in range(num_frames)]
        for number, frame in enumerate(frames if raw_frames else [], start=1):
            # mmaction2's default name
            file = root / "frames" / split / video.stem / f"img_{number:05}.jpg"
            with atomic_write(file) as temporary:
                cv2.imwrite(str(temporary), frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
        write_video(video, frames)
    write_lines(root / "lists" / "classes.txt", MOTIONS)
    for split, count in counts.items():
        items = [(f"{split}/{_video_name(index)}", index % len(MOTIONS)) for index in range(count)]
        lines = [f"{name}.mp4 {label}" for name, label in items]
        write_lines(root / "lists" / f"{split}.txt", lines)
        if raw_frames:
            lines = [f"{name} {num_frames} {label}" for name, label in items]
            write_lines(root / "lists" / f"{split}_frames.txt", lines)
    folder.mark(settings, complete=True)
    return root


def _video_name(index: int) -> str:
    return f"{MOTIONS[index % len(MOTIONS)]}_{index:06d}"


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the videos."""
    args = dataset_parser(make_moving_shapes, __doc__).parse_args(argv)
    root = make_moving_shapes(**vars(args))
    print(f"{root}: {args.num_train} train, {args.num_val} val, {len(MOTIONS)} classes")


if __name__ == "__main__":
    run_tool(main, resumable=True)
