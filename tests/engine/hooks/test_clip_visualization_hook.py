"""Figures of predictions on videos; tests/tools/test_video.py runs the hook in a test."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer

from glore_seg.engine import ClipVisualizationHook
from glore_seg.errors import ConfigError

CLIPS = torch.zeros(3, 3, 2, 8, 8, dtype=torch.uint8)


def run(folder, samples, clips=CLIPS, **options):
    """Draw samples of these names; return the names of the images."""
    hook = ClipVisualizationHook(**options)
    backends = [{"type": "LocalVisBackend"}]
    visualizer = Visualizer(vis_backends=backends, save_dir=str(folder))
    for number, meta in enumerate(samples):
        scores = {"pred_score": torch.tensor([0.2, 0.8]), "gt_label": torch.tensor([1])}
        outputs = [BaseDataElement(metainfo=meta, **scores)]
        hook.after_test_iter(
            SimpleNamespace(visualizer=visualizer), number, {"inputs": [clips]}, outputs
        )
    return sorted(path.stem for path in folder.rglob("*.png"))


def test_names_of_videos_and_folders(tmp_path):
    samples = [{"filename": "x/a.mp4"}, {"frame_dir": "x/b"}, {}, {"filename": "a"}]
    assert run(tmp_path, samples) == ["a_0", "a_1", "b_0", "video_000002_0"]


def test_every_second(tmp_path):
    assert run(tmp_path, [{"filename": name} for name in "abc"], interval=2) == ["a_0", "c_0"]


def test_inputs_that_are_no_clips(tmp_path):
    with pytest.raises(ConfigError, match=r"\(6, 3, 8, 8\); expected \(clips, 3, frames"):
        run(tmp_path, [{}], torch.zeros(6, 3, 8, 8))
