"""The reader of ONNX files; what they compute is run by onnxruntime."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from glore_seg.apis.inference import Segmenter
from glore_seg.export import PROPERTY, Contract
from tests.mutations.rule import Nonsense, Reader
from tests.mutations.strategies import spoiled_bytes

CONTRACT = {
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
_IMAGE = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)


@cache
def _whole() -> bytes:
    """A network whose logits are its input."""
    import onnx

    contract: Any = Contract(**CONTRACT)
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Identity", ["image"], ["logits"])],
        "channels",
        [helper.make_tensor_value_info("image", kind, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("logits", kind, None)],
    )
    exported = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    exported.ir_version = 10
    helper.set_model_props(exported, {PROPERTY: contract.to_json()})
    return exported.SerializeToString()


def _run(folder: Path) -> None:
    labels = Segmenter(folder / "a.onnx", device="cpu")(_IMAGE).labels
    if labels.shape != _IMAGE.shape[:2] or labels.dtype != np.uint8:
        raise Nonsense(f"labels of shape {labels.shape}, {labels.dtype}")


READERS = (
    Reader(
        "ONNX file",
        lambda: spoiled_bytes([_whole()]).map(lambda content: {"a.onnx": content}),
        _run,
        words=("a.onnx", "image 0"),
    ),
)
