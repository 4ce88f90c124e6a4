"""Paints what was recognized in a test on video: `tools/test.py --show-dir` and `--show`.

Shape legend: K clips, T frames, H, W sizes of a frame.
"""

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
    """Paints the frames of each video's middle clip with its true and its predicted classes.

    Images go to the visualizer's backends under the video's name, that of a second video of
    the same name with the next number behind it.

    Args:
        interval: Paint one of so many videos, at least 1.
        show: Whether to show each in a window.
        wait_time: Seconds for which the window stays.

    Raises:
        ConfigError: ``interval`` is less than 1, or the inputs are no clips of frames.
    """

    def __init__(self, *, interval: int = 1, show: bool = False, wait_time: float = 2.0) -> None:
        if interval < 1:
            raise ConfigError(f"interval is {interval}; expected at least 1: every so many videos")
        self.interval = interval
        self.show = show
        self.wait_time = wait_time
        self._seen = 0
        self._names: Counter[str] = Counter()

    def before_test(self, runner: Runner) -> None:
        """Count anew."""
        self._seen = 0
        self._names.clear()

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Paint the videos of a batch."""
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
    """Frames of the middle one of (K, 3, T, H, W), each (H, W, 3), uint8."""
    if clips.dim() != 5 or clips.shape[1] != 3:
        raise ConfigError(
            f"the network gets inputs of shape {tuple(clips.shape)}; --show and --show-dir paint "
            "clips (clips, 3, frames, height, width): leave them out"
        )
    clip = clips[len(clips) // 2].permute(1, 2, 3, 0)  # (T, H, W, 3)
    return list(clip.clamp(0, 255).byte().cpu().numpy())
