"""The authors' networks for segmentation (Section 4.1) and for video (Section 4.4).

The segmentation head is ``conv51``, ``gcn.GCN00``, ``gcn.GCN01``, ..., ``conv52`` and ``conv6``,
with or without the prefix ``head.``; its backbone is PyTorch-Encoding's ResNet in ``pretrained.``.
"""

import re

from torch import Tensor

from glore_seg.checkpoints.converters.resnet import from_torchvision

_ADAPTIVE = {"conv51": "convs.0", "conv52": "convs.1"}
_BACKBONE = "pretrained."
_HEAD = re.compile(r"^(?:head\.)?(conv51|gcn|conv52|conv6)\.(.+)$")


def from_authors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the authors' network to an ``EncoderDecoder`` with ``GloReHead``.

    Args:
        state: Their state dict: of the network, or of the head only.

    Returns:
        Names under ``backbone.`` and ``decode_head.``; unknown names are kept.
    """
    out = {}
    backbone = {k.removeprefix(_BACKBONE): v for k, v in state.items() if k.startswith(_BACKBONE)}
    for name, value in from_torchvision(backbone).items():
        out[f"backbone.{name}"] = value
    for name, value in state.items():
        if name.startswith(_BACKBONE):
            continue
        match = _HEAD.match(name)
        out[_head_name(match[1], match[2], value) if match else name] = value
    return out


def from_authors_video(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename a released video network to a ``Recognizer3D`` with ``GloReVideoResNet``.

    Its names are those of :class:`glore_seg.layers.VideoResNet`; a recognizer of mmaction2 has
    everything but the classifier in its backbone.

    Args:
        state: Their state dict, without ``module.``.
    """
    heads = {
        "classifier.weight": "cls_head.fc_cls.weight",
        "classifier.bias": "cls_head.fc_cls.bias",
    }
    return {heads.get(name, f"backbone.{name}"): value for name, value in state.items()}


def _head_name(part: str, rest: str, value: Tensor) -> str:
    kind = rest.rsplit(".", maxsplit=1)[-1]
    if part in _ADAPTIVE:
        layer = "conv" if value.dim() == 4 else "bn"  # a Sequential of both and a ReLU
        return f"decode_head.{_ADAPTIVE[part]}.{layer}.{kind}"
    if part == "conv6":  # dropout and the classifier
        return f"decode_head.conv_seg.{kind}"
    unit = re.match(r"GCN(\d+)\.(.+)$", rest)
    if unit is None:
        return f"{part}.{rest}"
    return f"decode_head.units.{int(unit[1])}.{unit[2]}"
