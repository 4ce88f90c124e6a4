"""Videos for tests: frame i is gray of brightness 8 i with a red corner, top left."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from projects.synthetic_data.moving_shapes import write_video

SIZE = (48, 64)


def images(number: int = 24, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    frames = [np.full((*size, 3), 8 * i, np.uint8) for i in range(number)]
    for frame in frames:
        frame[:16, :16] = (255, 0, 0)
    return frames


def numbers(frames) -> list[int]:
    """Which frames these are, read from the brightness of the last corner."""
    return [round(float(frame[-8:, -8:].mean()) / 8) for frame in frames]


def write_clip(path: Path, number: int = 24, *, rotation: int = 0) -> Path:
    if rotation and int(version("av").split(".")[0]) < 18:
        pytest.skip("PyAV before 18 writes no rotation")
    write_video(path, images(number), rotation=rotation)
    return path


def write_noise(path: Path, number: int = 24) -> Path:
    """Frames that don't compress, with the header in front: cut anywhere, it is still a video."""
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (*SIZE, 3), np.uint8) for _ in range(number)]
    write_video(path, frames, options={"movflags": "faststart"})
    return path


def cut(path: Path, share: float) -> Path:
    """Keep the beginning of a file alone."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path
