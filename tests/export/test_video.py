"""Export of recognizers of clips."""

import json

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")
pytest.importorskip("onnxruntime", reason="pip install 'glore_seg[export]'")
pytest.importorskip("onnxscript", reason="pip install 'glore_seg[export]'")

import mmaction.datasets
import mmaction.models  # noqa: F401
import onnxruntime
from mmaction.structures import ActionDataSample

import glore_seg.datasets.video.dataset
import glore_seg.models.heads.glore_video_head  # noqa: F401
from glore_seg.apis import load_model
from glore_seg.apis.export import export_model
from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from tests.export import networks

pytestmark = pytest.mark.usefixtures("export_support")


@MODELS.register_module(force=True)
class ClipConv(nn.Sequential):
    """A convolution over space and time, and a unit."""

    def __init__(self) -> None:
        unit = GloReUnit(8, num_nodes=2, ndim=3, normalize=False, zero_init=False)
        super().__init__(nn.Conv3d(3, 8, 3, stride=2, padding=1), unit)


def config():
    steps = [
        {"type": "CheckedVideoInit"},
        {"type": "SampleFrames", "clip_len": 4, "num_clips": 3, "test_mode": True},
        {"type": "CheckedVideoDecode"},
        {"type": "PackActionInputs"},
    ]
    return Config(
        {
            "default_scope": "mmaction",
            "model": {
                "type": "Recognizer3D",
                "backbone": {"type": "ClipConv"},
                "cls_head": {
                    "type": "GloReVideoHead",
                    "num_classes": 4,
                    "in_channels": 8,
                    "average_clips": "score",
                },
                "data_preprocessor": {
                    "type": "ActionDataPreprocessor",
                    "mean": [1.0, 2.0, 3.0],
                    "std": [4.0, 5.0, 6.0],
                    "format_shape": "NCTHW",
                },
            },
            "test_dataloader": {
                "dataset": {
                    "type": "CheckedVideoDataset",
                    "ann_file": "none.txt",
                    "metainfo": {"classes": networks.CLASSES},
                    "pipeline": steps,
                    "test_mode": True,
                }
            },
        }
    )


@pytest.mark.slow
def test_onnx_gives_the_scores_of_one_clip(tmp_path):
    cfg = config()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    exported = export_model(cfg, checkpoint, tmp_path / "a.onnx")
    assert exported.checks[0].size == (1, 4, 161, 225)
    session = onnxruntime.InferenceSession(str(tmp_path / "a.onnx"))
    assert session.get_inputs()[0].shape == ["batch", 3, 4, "height", "width"]
    found = json.loads(session.get_modelmeta().custom_metadata_map["glore_seg"])
    expected = {
        "task": "video",
        "classes": list(networks.CLASSES),
        "mean": [1.0, 2.0, 3.0],
        "std": [4.0, 5.0, 6.0],
        "channel_order": "rgb",
        "output": "logits",
        "resized": False,
    }
    assert expected.items() <= found.items()
    model = load_model(cfg, checkpoint, device="cpu")
    clips = torch.randint(0, 256, (2, 3, 4, 21, 34), dtype=torch.uint8)
    mean, std = (torch.tensor(found[key])[:, None, None, None] for key in ("mean", "std"))
    (logits,) = session.run(None, {"image": ((clips - mean) / std).numpy()})
    samples = [ActionDataSample() for _ in clips]
    wanted = model.test_step({"inputs": list(clips[:, None]), "data_samples": samples})
    wanted = torch.stack([sample.pred_score for sample in wanted])
    torch.testing.assert_close(torch.from_numpy(logits), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_program_of_fixed_size_with_labels(tmp_path):
    cfg = config()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    options = {"file_format": "program", "size": (24, 32), "argmax": True}
    exported = export_model(cfg, checkpoint, tmp_path / "a.pt2", **options)
    assert [row.size for row in exported.checks] == [(1, 4, 24, 32), (3, 4, 24, 32)]
    assert exported.contract.output == "labels"


def test_rejects_a_pipeline_without_clips(tmp_path):
    cfg = config()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    del cfg.test_dataloader.dataset.pipeline[1]
    with pytest.raises(ConfigError, match=r"no transform with clip_len.*such as SampleFrames"):
        export_model(cfg, checkpoint, tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()
