"""The frames of a clip beside each other, and what was recognized in them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from glore_seg.errors import ConfigError

_CELL = 1.6  # inches, width of a frame
_MARGIN = 0.7  # inches, for two lines of text
_BEST = 3  # classes named


def draw_clip_prediction(
    frames: Sequence[np.ndarray],
    *,
    scores: np.ndarray,
    truth: Sequence[int] = (),
    classes: Sequence[str] = (),
    title: str = "",
) -> np.ndarray:
    """Draw frames in a row, with the classes of the greatest scores above them.

    Args:
        frames: RGB images (H, W, 3), uint8.
        scores: One for each class, (K,).
        truth: Indices of the true classes; empty where none is known.
        classes: Names of the classes. Default: their numbers.
        title: What stands in the first line, such as the name of the video.

    Returns:
        The image (H', W', 3), RGB, uint8. The text is green where the greatest score is that
        of a true class, red where it is not.

    Raises:
        ConfigError: There are no frames.
    """
    if not len(frames):
        raise ConfigError("no frames to draw; expected those of a clip")
    height, width = frames[0].shape[:2]
    figure = Figure(
        figsize=(max(_CELL * len(frames), 4.0), _CELL * height / width + _MARGIN),
        layout="constrained",
    )
    canvas = FigureCanvasAgg(figure)
    for ax, frame in zip(figure.subplots(1, len(frames), squeeze=False)[0], frames, strict=True):
        ax.imshow(frame)
        ax.axis("off")
    best = np.argsort(-scores, kind="stable")[:_BEST]
    found = ", ".join(f"{_name(index, classes)} {scores[index]:.2f}" for index in best)
    wanted = ", ".join(_name(index, classes) for index in truth) or "unknown"
    color = ("#1a7f37" if best[0] in truth else "#c62828") if truth else "#444444"
    text = f"{title}\ntrue: {wanted}; found: {found}"
    figure.suptitle(text, fontsize=9, color=color, parse_math=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _name(index: int, classes: Sequence[str]) -> str:
    return classes[index] if classes else str(index)
