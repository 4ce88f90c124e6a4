"""Small networks of three convolutions, as configs and checkpoints."""

import itertools
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.registry import MODELS
from torch import nn

from glore_seg.engine import build_model
from glore_seg.export import PROPERTY, Contract

CLASSES = ("road", "sky", "person", "car")
PALETTE = ((128, 64, 128), (70, 130, 180), (220, 20, 60), (0, 0, 142))
_NORM = {"type": "BN"}


@MODELS.register_module(force=True)
class ThreeConvs(BaseModule):
    """Feature maps of strides 2, 4 and 8, as a backbone of mmseg and mmpretrain."""

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        sizes = (3, channels, channels, channels)
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, 3, stride=2, padding=1) for i, o in itertools.pairwise(sizes)
        )

    def forward(self, x):
        maps = []
        for conv in self.convs:
            x = conv(x).relu()
            maps.append(x)
        return tuple(maps)


def segmentation(*, head: dict[str, Any] | None = None, **model: Any) -> Config:
    """Config of a segmentor with a GloRe head; ``head`` and ``model`` change it."""
    decode_head = {
        "type": "GloReHead",
        "in_channels": 8,
        "in_index": 2,
        "channels": 8,
        "num_nodes": 2,
        "num_states": 4,
        "num_classes": 4,
        "unit_cfg": {"zero_init": False},
        "norm_cfg": _NORM,
        "align_corners": False,
        "loss_decode": {"type": "CrossEntropyLoss", "avg_non_ignore": True},
        **(head or {}),
    }
    return Config(
        {
            "default_scope": "mmseg",
            "model": {
                "type": "EncoderDecoder",
                "data_preprocessor": {
                    "type": "SegDataPreProcessor",
                    "mean": [123.675, 116.28, 103.53],
                    "std": [58.395, 57.12, 57.375],
                    "bgr_to_rgb": True,
                    "size": (64, 64),
                },
                "backbone": {"type": "mmengine.ThreeConvs"},
                "decode_head": {k: v for k, v in decode_head.items() if v is not None},
                "test_cfg": {"mode": "whole"},
                **model,
            },
            "test_dataloader": {
                "dataset": {
                    "type": "BaseSegDataset",
                    "metainfo": {"classes": CLASSES, "palette": PALETTE},
                    "pipeline": [{"type": "LoadImageFromFile"}],
                }
            },
        }
    )


def classification() -> Config:
    """Config of a classifier of mmpretrain, with the preprocessor where its configs have it."""
    return Config(
        {
            "default_scope": "mmpretrain",
            "data_preprocessor": {"mean": [1.0, 2.0, 3.0], "std": [4.0, 5.0, 6.0], "to_rgb": False},
            "model": {
                "type": "ImageClassifier",
                "backbone": {"type": "mmengine.ThreeConvs"},
                "neck": {"type": "GlobalAveragePooling"},
                "head": {
                    "type": "LinearClsHead",
                    "num_classes": 4,
                    "in_channels": 8,
                    "loss": {"type": "CrossEntropyLoss"},
                },
            },
            "test_dataloader": {
                "dataset": {
                    "type": "CustomDataset",
                    "data_prefix": "nowhere",
                    "metainfo": {"classes": CLASSES},
                    "pipeline": [{"type": "LoadImageFromFile"}],
                }
            },
        }
    )


def save(cfg: Config, path: Path) -> Path:
    """Write a checkpoint of a network whose every parameter and statistic is random."""
    torch.manual_seed(0)
    model = build_model(cfg)
    for name, value in model.state_dict().items():
        if name.endswith("running_var") or (name.endswith("weight") and value.dim() == 1):
            nn.init.uniform_(value, 0.5, 1.5)
        elif value.is_floating_point():
            nn.init.normal_(value, std=0.3)
    torch.save({"state_dict": model.state_dict(), "meta": {}}, path)
    return path


def contract(**changes: Any) -> Contract:
    """The contract of :func:`onnx_file`; ``changes`` go over it."""
    settings: dict[str, Any] = {
        "task": "segmentation",
        "classes": ("road", "car", "sky"),
        "palette": ((1, 2, 3), (4, 5, 6), (7, 8, 9)),
        "mean": (10.0, 20.0, 30.0),
        "std": (2.0, 4.0, 8.0),
        "channel_order": "rgb",
        "size_divisor": 1,
        "output": "logits",
        "resized": True,
        "align_corners": False,
    }
    return Contract(**{**settings, **changes})


def onnx_file(described: Contract, *, described_inside: bool = True, size: Any = ("h", "w")) -> Any:
    """An ONNX model whose logits are its input, or that at a quarter of its size."""
    import onnx

    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    kind, options = "Identity", {}
    if not described.resized:
        kind, options = "AveragePool", {"kernel_shape": [4, 4], "strides": [4, 4]}
    if described.output == "labels":
        kind, options, number = "ArgMax", {"axis": 1, "keepdims": 0}, onnx.TensorProto.INT64
    graph = helper.make_graph(
        [helper.make_node(kind, ["image"], [described.output], **options)],
        "channels",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["n", 3, *size])],
        [helper.make_tensor_value_info(described.output, number, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10  # older runtimes know no newer one
    if described_inside:
        helper.set_model_props(model, {PROPERTY: described.to_json()})
    return model
