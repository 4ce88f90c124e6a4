import cv2
import numpy as np
import pytest
from mmengine.config import Config

from glore_seg.errors import ConfigError

pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")

from glore_seg.apis.clips import read_video

_SAMPLE = {"type": "SampleFrames", "clip_len": 4, "frame_interval": 1, "num_clips": 1}
FRAMES = Config(
    {
        "default_scope": "mmaction",
        "test_dataloader": {
            "dataset": {
                "type": "CheckedRawframeDataset",
                "ann_file": "absent.txt",
                "pipeline": [
                    {**_SAMPLE, "test_mode": True},
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
    import glore_seg.datasets.video.dataset  # noqa: F401  registers

    for number in range(1, 7):
        image = np.full((8, 12, 3), 40 * number, np.uint8)
        assert cv2.imwrite(str(tmp_path / f"img_{number:05}.jpg"), image)
    return tmp_path


def test_reads_a_folder_of_frames(frames):
    clip = read_video(FRAMES, "test", str(frames))["inputs"]
    assert clip.shape == (1, 3, 4, 8, 12)
    assert clip[0, 0, :, 0, 0].tolist() == [80, 120, 160, 200]  # the middle four of six


def test_rejects_files_and_empty_folders(frames):
    (frames / "empty").mkdir()
    for name in ("img_00001.jpg", "empty"):
        with pytest.raises(ConfigError, match=rf"{name} has no img_00001\.jpg"):
            read_video(FRAMES, "test", str(frames / name))
