"""Figures of predictions on videos; tests/tools/test_video.py runs the hook in a test."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import BaseDataElement

from glore_seg.engine import ClipVisualizationHook
from glore_seg.errors import ConfigError


class Visualizer:
    dataset_meta = None

    def __init__(self):
        self.painted, self.shown = [], []

    def add_image(self, name, image, step):
        self.painted.append((name, image.shape[2], step))

    def show(self, image, *, win_name, wait_time):
        self.shown.append((win_name, wait_time))


def sample(**meta):
    return BaseDataElement(
        metainfo=meta, pred_score=torch.tensor([0.2, 0.8]), gt_label=torch.tensor([1])
    )


def run(hook, samples, clips):
    runner = SimpleNamespace(visualizer=Visualizer())
    for number, one in enumerate(samples):
        hook.after_test_iter(runner, number, {"inputs": [clips]}, [one])
    return runner.visualizer


CLIPS = torch.zeros(3, 3, 2, 8, 8, dtype=torch.uint8)


def test_names_of_videos_and_folders():
    samples = [sample(filename="x/a.mp4"), sample(frame_dir="x/b"), sample(), sample(filename="a")]
    visualizer = run(ClipVisualizationHook(show=True, wait_time=0.5), samples, CLIPS)
    assert visualizer.painted == [("a", 3, 0), ("b", 3, 0), ("video_000002", 3, 0), ("a", 3, 1)]
    assert visualizer.shown[0] == ("a", 0.5)


def test_every_second():
    visualizer = run(ClipVisualizationHook(interval=2), [sample(filename=c) for c in "abc"], CLIPS)
    assert [name for name, _, _ in visualizer.painted] == ["a", "c"]
    assert visualizer.shown == []


def test_inputs_that_are_no_clips():
    with pytest.raises(ConfigError, match=r"\(6, 3, 8, 8\); expected \(clips, 3, frames"):
        run(ClipVisualizationHook(), [sample()], torch.zeros(6, 3, 8, 8))
