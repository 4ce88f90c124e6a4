"""A folder of frames is read as the config's own are."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config

pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")

from glore_seg.apis.visualize_clips import _sample

RAW = Config(
    {
        "default_scope": "mmaction",
        "test_dataloader": {
            "dataset": {
                "type": "CheckedRawframeDataset",
                "ann_file": "absent.txt",
                "pipeline": [
                    {
                        "type": "SampleFrames",
                        "clip_len": 4,
                        "frame_interval": 1,
                        "num_clips": 1,
                        "test_mode": True,
                    },
                    {"type": "CheckedFrameDecode"},
                    {"type": "FormatShape", "input_format": "NCTHW"},
                    {"type": "PackActionInputs"},
                ],
            }
        },
    }
)


@pytest.fixture
def frames(tmp_path):
    import glore_seg.datasets.video.rawframes  # noqa: F401  registers

    for number in range(1, 7):
        image = np.full((8, 12, 3), 40 * number, np.uint8)
        assert cv2.imwrite(str(tmp_path / f"img_{number:05}.jpg"), image)
    return tmp_path


def test_a_folder_of_frames(frames):
    clip = _sample(RAW, "test", str(frames))["inputs"]
    assert clip.shape == (1, 3, 4, 8, 12)
    assert clip[0, 0, :, 0, 0].tolist() == [80, 120, 160, 200]  # the middle four of six


def test_what_the_config_does_not_read(frames):
    with pytest.raises(ValueError, match=r"img_00001\.jpg is a file; expected a folder of frames"):
        _sample(RAW, "test", str(frames / "img_00001.jpg"))
    (frames / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty has no img_00001\.jpg; expected frames"):
        _sample(RAW, "test", str(frames / "empty"))
