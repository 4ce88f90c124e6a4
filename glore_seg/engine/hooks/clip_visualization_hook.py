"""Draws the predictions of a test on videos: ``--show-dir`` and ``--show`` of tools/test.py."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor

from glore_seg.errors import ConfigError


@HOOKS.register_module()
class ClipVisualizationHook(Hook):
    """Draws the frames of each video's middle clip with its true and predicted classes.

    Figures go to the visualizer's backends under the video's name; videos of the same name are
    numbered.

    Args:
        interval: Draw every so many videos, at least 1.
        show: Whether to show each in a window.
        wait_time: Seconds for which the window stays.

    Raises:
        ConfigError: The inputs are no clips of frames.
    """

    def __init__(self, *, interval: int = 1, show: bool = False, wait_time: float = 2.0) -> None:
        self.interval = interval
        self.show = show
        self.wait_time = wait_time
        self._seen = 0
        self._names: Counter[str] = Counter()

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Draw the videos of a batch."""
        # Imported here: it imports matplotlib.
        from glore_seg.visualization.clip_predictions import draw_clip_prediction

        visualizer = runner.visualizer
        classes = (visualizer.dataset_meta or {}).get("classes") or ()
        for clips, sample in zip(data_batch["inputs"], outputs, strict=True):
            number, self._seen = self._seen, self._seen + 1
            if number % self.interval:
                continue
            path = sample.get("filename") or sample.get("frame_dir") or f"video_{number:06d}"
            name = Path(path).stem
            image = draw_clip_prediction(
                _middle_clip(clips),
                scores=sample.pred_score.float().cpu().numpy(),
                truth=[label for label in sample.gt_label.tolist() if label >= 0],
                classes=classes,
                title=f"{name}, which could not be read" if sample.get("unreadable") else name,
            )
            visualizer.add_image(name, image, step=self._names[name])
            self._names[name] += 1
            if self.show:
                visualizer.show(image, win_name=name, wait_time=self.wait_time)


def _middle_clip(clips: Tensor) -> Sequence[np.ndarray]:
    """Frames (H, W, 3), uint8, of the middle clip of (clips, 3, frames, H, W)."""
    if clips.dim() != 5 or clips.shape[1] != 3:
        raise ConfigError(
            f"inputs have the shape {tuple(clips.shape)}; expected (clips, 3, frames, height, "
            "width) to draw: leave --show and --show-dir out"
        )
    clip = clips[len(clips) // 2].permute(1, 2, 3, 0)  # (T, H, W, 3)
    return list(clip.clamp(0, 255).byte().cpu().numpy())
