"""Videos as folders of frames; the figures are tested with their tool."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from glore_seg.errors import ConfigError

pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")

import glore_seg.datasets.video.dataset  # noqa: F401  registers
from glore_seg.apis.visualize import read_video

_SAMPLE = {"type": "SampleFrames", "clip_len": 4, "frame_interval": 1, "num_clips": 1}
_STEPS = [
    {**_SAMPLE, "test_mode": True},
    {"type": "CheckedFrameDecode"},
    {"type": "FormatShape", "input_format": "NCTHW"},
    {"type": "PackActionInputs"},
]
_DATASET = {"type": "CheckedRawframeDataset", "ann_file": "absent.txt", "pipeline": _STEPS}
FRAMES = Config({"default_scope": "mmaction", "test_dataloader": {"dataset": _DATASET}})


def test_reads_a_folder_of_frames(tmp_path):
    for number in range(1, 7):
        image = np.full((8, 12, 3), 40 * number, np.uint8)
        assert cv2.imwrite(str(tmp_path / f"img_{number:05}.jpg"), image)
    clip = read_video(FRAMES, "test", str(tmp_path))["inputs"]
    assert clip.shape == (1, 3, 4, 8, 12)
    assert clip[0, 0, :, 0, 0].tolist() == [80, 120, 160, 200]  # the middle four of six
    (tmp_path / "empty").mkdir()
    for name in ("img_00001.jpg", "empty"):
        with pytest.raises(ConfigError, match=rf"{name} has no img_00001\.jpg"):
            read_video(FRAMES, "test", str(tmp_path / name))
