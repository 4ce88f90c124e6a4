"""Write videos of moving shapes and their lists, in mmaction2's formats."""

from __future__ import annotations

from pathlib import Path

import cv2

from glore_seg.errors import ConfigError
from glore_seg.utils.files import atomic_write, write_lines
from glore_seg.utils.progress import track
from projects.synthetic_data.moving_shapes.painter import paint_frame
from projects.synthetic_data.moving_shapes.scene import MOTIONS, SPLITS, compose_shapes
from projects.synthetic_data.moving_shapes.video_file import write_video
from projects.synthetic_data.output_folder import DatasetFolder

MARKER = "moving_shapes.json"
"""Name of the file that tells how a folder was made and whether it is complete."""

DRAWING = 1  # raised whenever the same settings would give other images

FRAME_NAME = "img_{:05}.jpg"  # mmaction2's default, counted from 1


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
    """Make a dataset of small videos whose class lies in the motion, not in one frame.

    Writes ``videos/SPLIT/CLASS_NUMBER.mp4`` and, to ``lists``, ``train.txt`` and ``val.txt`` with
    ``path label`` lines (paths from ``videos``) and ``classes.txt`` with a class a line. A second
    call with the same settings goes on where the first was interrupted, and returns at once where
    it was complete.

    Args:
        root: Folder to write to; must be new, empty or made by this function.
        num_train: Videos for training, at least 0; classes take turns.
        num_val: Videos for validation, at least 0.
        num_frames: Frames a video, 2 to 1000, at 25 a second.
        size: Height and width in pixels: even, 32 to 512.
        seed: At least 0. A video depends on the seed, its split and its number alone, so that a
            larger dataset contains the smaller one.
        raw_frames: Whether to write the frames as ``frames/SPLIT/CLASS_NUMBER/img_00001.jpg`` too,
            with ``train_frames.txt`` and ``val_frames.txt`` of ``folder frames label`` lines.
        overwrite: Whether to remove a dataset made with other settings first.
        progress: Whether to show a bar with the time left.

    Returns:
        The folder.

    Raises:
        MissingDependencyError: PyAV is not installed.
        ConfigError: If a count, the size or the seed is out of its range.
        FileExistsError: If the folder holds other files, or videos of other settings and
            ``overwrite`` is not set.
    """
    root = Path(root)
    counts = dict(zip(SPLITS, (num_train, num_val), strict=True))
    _check(counts, num_frames, size, seed)
    settings = {
        "drawing": DRAWING,
        "counts": counts,
        "num_frames": num_frames,
        "size": list(size),
        "seed": seed,
        "raw_frames": raw_frames,
    }
    folder = DatasetFolder(root, MARKER, "moving shapes", ("videos", "frames", "lists"))
    if folder.claim(settings, overwrite=overwrite).get("complete"):
        return root

    folder.mark(settings, complete=False)
    tasks = [(split, index) for split, count in counts.items() for index in range(count)]
    for split, index in track(tasks, len(tasks), "moving shapes", show=progress):
        _write_scene(root, split, index, num_frames, size, seed, raw_frames=raw_frames)
    _write_lists(root, counts, num_frames, raw_frames=raw_frames)
    folder.mark(settings, complete=True)
    return root


def video_name(index: int) -> str:
    """Return a video's name without its ending, such as ``left_000001``."""
    return f"{MOTIONS[index % len(MOTIONS)]}_{index:06d}"


def _check(counts: dict[str, int], num_frames: int, size: tuple[int, int], seed: int) -> None:
    for split, count in counts.items():
        if count < 0:
            raise ConfigError(f"num_{split} is {count}; expected 0 or more")
    if not 2 <= num_frames <= 1000:
        raise ConfigError(f"num_frames is {num_frames}; expected 2 to 1000")
    if len(size) != 2 or not all(32 <= side <= 512 and side % 2 == 0 for side in size):
        raise ConfigError(
            f"size is {size}; expected an even height and width of 32 to 512, as (64, 64)"
        )
    if seed < 0:
        raise ConfigError(f"seed is {seed}; expected 0 or more")


def _write_scene(
    root: Path,
    split: str,
    index: int,
    num_frames: int,
    size: tuple[int, int],
    seed: int,
    *,
    raw_frames: bool,
) -> None:
    name = video_name(index)
    video = root / "videos" / split / f"{name}.mp4"
    if video.is_file():  # written last: all of this scene is there
        return
    scene = compose_shapes(seed, split, index)
    frames = [paint_frame(scene, frame, size) for frame in range(num_frames)]
    for number, frame in enumerate(frames if raw_frames else [], start=1):
        with atomic_write(root / "frames" / split / name / FRAME_NAME.format(number)) as temporary:
            cv2.imwrite(str(temporary), frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    write_video(video, frames)


def _write_lists(root: Path, counts: dict[str, int], num_frames: int, *, raw_frames: bool) -> None:
    lists = root / "lists"
    write_lines(lists / "classes.txt", MOTIONS)
    for split, count in counts.items():
        items = [(f"{split}/{video_name(index)}", index % len(MOTIONS)) for index in range(count)]
        write_lines(lists / f"{split}.txt", [f"{name}.mp4 {label}" for name, label in items])
        if raw_frames:
            lines = [f"{name} {num_frames} {label}" for name, label in items]
            write_lines(lists / f"{split}_frames.txt", lines)
