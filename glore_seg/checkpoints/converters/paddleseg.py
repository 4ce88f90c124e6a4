"""PaddleSeg's GloRe on ResNet-50-vd and ResNet-101-vd (78.26 % mIoU on Cityscapes' val).

``configs/paddleseg/`` has the same networks: ReLU after the second graph convolution, no division
by the number of positions, 1x1 adaptive convolution.
"""

import re

from torch import Tensor

_KINDS = {"_mean": "running_mean", "_variance": "running_var"}
_LAYERS = {"_conv": "conv", "_batch_norm": "bn"}
_STEM = {"1": ("0", "1"), "2": ("3", "4"), "3": ("6", "7")}
_UNIT = {
    "reduction_dim": "conv_state",
    "projection_mat": "conv_proj",
    "gcn.conv1": "gcn.conv1",
    "gcn.conv2": "gcn.conv2",
    "extend_dim": "conv_extend",
    "extend_bn": "blocker",
}
_AUXILIARY_BIAS = "head.auxlayer.conv_bn_relu._conv.bias"
_AUXILIARY_MEAN = "head.auxlayer.conv_bn_relu._batch_norm._mean"


def from_paddleseg(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename PaddleSeg's network to that of ``configs/paddleseg/``.

    The convolution of its auxiliary head has a bias before a BatchNorm, ours has none: the bias
    is subtracted from the running mean, which is the same function in evaluation.

    Args:
        state: Its state dict.

    Returns:
        Names under ``backbone.``, ``decode_head.`` and ``auxiliary_head.``; unknown names are
        kept.
    """
    state = dict(state)
    bias, mean = state.get(_AUXILIARY_BIAS), state.get(_AUXILIARY_MEAN)
    if bias is not None and mean is not None and bias.shape == mean.shape:
        state[_AUXILIARY_MEAN] = mean - state.pop(_AUXILIARY_BIAS)
    return {_name(name): value for name, value in state.items()}


def _name(name: str) -> str:
    module, _, kind = name.rpartition(".")
    kind = _KINDS.get(kind, kind)
    own = _backbone(module) or _head(module)
    return f"{own}.{kind}" if own else name


def _backbone(module: str) -> str | None:
    match = re.fullmatch(r"backbone\.conv1_([123])\.(_conv|_batch_norm)", module)
    if match:
        return f"backbone.stem.{_STEM[match[1]][match[2] == '_batch_norm']}"
    match = re.fullmatch(
        r"backbone\.bb_(\d+)_(\d+)\.(conv[012]|short)\.(_conv|_batch_norm)", module
    )
    if match is None:
        return None
    block = f"backbone.layer{int(match[1]) + 1}.{int(match[2])}"
    norm = match[4] == "_batch_norm"
    if match[3] == "short":
        return f"{block}.downsample.{2 if norm else 1}"
    return f"{block}.{'bn' if norm else 'conv'}{int(match[3][-1]) + 1}"


def _head(module: str) -> str | None:
    for theirs, ours in (
        ("head.conv_bn_relu", "decode_head.convs.0"),
        ("head.auxlayer.conv_bn_relu", "auxiliary_head.convs.0"),
    ):
        match = re.fullmatch(rf"{re.escape(theirs)}\.(_conv|_batch_norm)", module)
        if match:
            return f"{ours}.{_LAYERS[match[1]]}"
    if module.startswith("head.gru_module."):
        unit = _UNIT.get(module.removeprefix("head.gru_module."))
        return f"decode_head.units.0.{unit}" if unit else None
    plain = {
        "head.classifier": "decode_head.conv_seg",
        "head.auxlayer.conv": "auxiliary_head.conv_seg",
    }
    return plain.get(module)
