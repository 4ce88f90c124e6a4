"""Panels of images and label maps with a legend of the classes, and of frames of a clip.

Shape legend: H, W size of an image.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import mmcv
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from mmengine.dataset import BaseDataset

from glore_seg.errors import ConfigError, OutputError
from glore_seg.utils.image_io import to_displayable
from glore_seg.utils.progress import track

IGNORED = 255
_BLACK = (0, 0, 0)
_YELLOW = "#ffe800"
_ORANGE = (255, 140, 0)  # differs from gray for the color-blind as well
_DIM = 0.6
_CELL = 3.2  # inches, width of a column
_FRAME = 1.6  # inches, width of a frame
_TEXT = 0.7  # inches, for two lines of text
_BEST = 3  # classes named


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; ``weight`` ranks the boxes of an image, see :func:`find_boxes`."""

    left: int
    top: int
    width: int
    height: int
    weight: float


def colorize(label: np.ndarray, palette: Sequence[Sequence[int]]) -> np.ndarray:
    """Paint a label map, (H, W) of class indices to (H, W, 3) RGB; other values become black."""
    table = np.full((256, 3), _BLACK, dtype=np.uint8)
    table[: len(palette)] = palette
    return table[label.astype(np.uint8)]  # (H, W, 3)


def overlay(
    image: np.ndarray, label: np.ndarray, palette: Sequence[Sequence[int]], *, opacity: float = 0.6
) -> np.ndarray:
    """Blend a painted label map (H, W) with its image (H, W, 3); returns (H, W, 3), RGB, uint8.

    Raises:
        ConfigError: ``opacity`` is not in 0 to 1.
    """
    if not 0 <= opacity <= 1:
        raise ConfigError(f"opacity is {opacity}; expected 0 to 1")
    mixed = (1 - opacity) * image + opacity * colorize(label, palette)
    return mixed.round().astype(np.uint8)


def paint_errors(image: np.ndarray, prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Paint the wrong pixels orange over a gray copy of an RGB image (H, W, 3), uint8.

    Ignored pixels, 255 in the true label map (H, W), become black.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) * _DIM
    painted = np.repeat(gray.round().astype(np.uint8)[..., None], 3, axis=2)  # (H, W, 3)
    painted[prediction != truth] = _ORANGE
    painted[truth == IGNORED] = _BLACK
    return painted


def draw_panel(
    rows: Sequence[Mapping[str, np.ndarray]],
    out_file: str | Path,
    *,
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    opacity: float = 1.0,
    boxes: Sequence[Sequence[Box]] | None = None,
    notes: Sequence[Mapping[str, str]] | None = None,
) -> None:
    """Draw images and label maps in rows, with titled columns and a legend of what occurs.

    ``rows`` are column titles to RGB images (H, W, 3) or label maps (H, W) of class indices, which
    are drawn over the first column's image; all have the same columns. For each row, ``boxes`` are
    framed in yellow in all columns, and ``notes`` are written below a column, by its title.
    """
    columns = list(rows[0])
    boxes = boxes or [()] * len(rows)
    gap = 0.2 if notes and any(notes) else 0.0
    notes = notes or [{}] * len(rows)
    height, width = rows[0][columns[0]].shape[:2]
    figure = Figure(
        figsize=(_CELL * len(columns), (_CELL * height / width + gap) * len(rows) + 0.9),
        layout="constrained",
    )
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    present: set[int] = set()
    for axes, row, frames, texts in zip(grid, rows, boxes, notes, strict=True):
        for ax, title in zip(axes, columns, strict=True):
            shown = row[title]
            if shown.ndim == 2:
                present.update(np.unique(shown).tolist())
                shown = overlay(row[columns[0]], shown, palette, opacity=opacity)
            ax.imshow(shown, interpolation="nearest")
            ax.set_axis_off()
            for box in frames:
                ax.add_patch(_frame(box))
            if text := texts.get(title):
                below = {"transform": ax.transAxes, "ha": "center", "va": "top"}
                ax.text(0.5, -0.02, text, fontsize=8, color="#444444", **below)
    for ax, title in zip(grid[0], columns, strict=True):
        ax.set_title(title)
    known = sorted(present & {*range(len(classes))})
    patches = [Patch(color=f"#{bytes(palette[i]).hex()}", label=classes[i]) for i in known]
    if len(present) > len(known):
        patches.append(Patch(color=_BLACK, label="ignored"))
    figure.legend(
        handles=patches,
        loc="outside lower center",
        ncol=int(figure.get_figwidth() / 1.5),  # inches of the longest name
        fontsize=8,
        frameon=False,
    )
    figure.savefig(out_file, dpi=120)


def browse(
    dataset: BaseDataset, out_dir: str | Path, *, num_images: int, seed: int = 0
) -> list[Path]:
    """Draw the first images (at most all) of a dataset and their labels, after its transforms.

    The pipeline ends in ``PackSegInputs``; ``seed`` is that of its random transforms. Returns the
    files, named after the images.

    Raises:
        ConfigError: ``num_images`` is below 1, or an image has no label.
        OutputError: One of the files exists.
    """
    if num_images < 1:
        raise ConfigError(f"number of images is {num_images}; expected 1 or more")
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    files = []
    number = min(num_images, len(dataset))
    for index in track(range(number), number, "drawing"):
        item = dataset[index]
        sample = item["data_samples"]
        if "gt_sem_seg" not in sample:
            raise ConfigError(
                f"{sample.img_path} has no label; give a split whose pipeline loads labels"
            )
        out_file = out_dir / f"{Path(sample.img_path).stem}.png"
        if out_file.exists():
            raise OutputError(f"{out_file} exists; give another folder or remove it")
        image = to_displayable(item["inputs"].permute(1, 2, 0).numpy())  # (C, H, W) to (H, W, 3)
        label = sample.gt_sem_seg.data.squeeze(0).numpy()  # (H, W), not resized by test pipelines
        draw_panel(
            [{"image": mmcv.imresize(image, label.shape[::-1]), "label": label}],
            out_file,
            classes=dataset.metainfo["classes"],
            palette=dataset.metainfo["palette"],
            opacity=0.7,
        )
        files.append(out_file)
    return files


def draw_clip_prediction(
    frames: Sequence[np.ndarray],
    *,
    scores: np.ndarray,
    truth: Sequence[int] = (),
    classes: Sequence[str] = (),
    title: str = "",
) -> np.ndarray:
    """Draw frames (H, W, 3), RGB, uint8, in a row, below the classes of the highest scores, (K,).

    ``truth`` are indices of classes. Returns (H', W', 3), RGB, uint8; its text is green if the
    highest score is that of a true class, else red; gray if the truth is unknown.
    """
    height, width = frames[0].shape[:2]
    figure = Figure(
        figsize=(max(_FRAME * len(frames), 4.0), _FRAME * height / width + _TEXT),
        layout="constrained",
    )
    canvas = FigureCanvasAgg(figure)
    for ax, frame in zip(figure.subplots(1, len(frames), squeeze=False)[0], frames, strict=True):
        ax.imshow(frame)
        ax.axis("off")
    names = classes or [str(index) for index in range(len(scores))]
    best = np.argsort(-scores, kind="stable")[:_BEST]
    found = ", ".join(f"{names[index]} {scores[index]:.2f}" for index in best)
    true = ", ".join(names[index] for index in truth) or "unknown"
    color = ("#1a7f37" if best[0] in truth else "#c62828") if truth else "#444444"
    text = f"{title}\ntrue: {true}; predicted: {found}"
    figure.suptitle(text, fontsize=9, color=color, parse_math=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _frame(box: Box) -> Rectangle:
    # Outlined in black: yellow alone is hard to see on a traffic sign.
    return Rectangle(
        (box.left - 0.5, box.top - 0.5),
        box.width,
        box.height,
        fill=False,
        edgecolor=_YELLOW,
        linewidth=1.8,
        path_effects=[withStroke(linewidth=3.2, foreground="black")],
        clip_on=False,
    )
