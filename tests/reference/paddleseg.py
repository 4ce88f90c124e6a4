"""PaddleSeg's GloRe network run straight from its own parameter names, layer by layer.

Shape legend: B batch, C channels, L positions, N nodes, S states.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
# Strides and dilations of the stages, by output stride.
_STAGES = {
    8: ((1, 2, 1, 1), (1, 1, 2, 4)),
    16: ((1, 2, 2, 1), (1, 1, 1, 2)),
    32: ((1, 2, 2, 2), (1, 1, 1, 1)),
}


def shapes(depth: int, num_classes: int = 19) -> dict[str, tuple[int, ...]]:
    """Names and shapes of its parameters and statistics."""
    out: dict[str, tuple[int, ...]] = {}

    def conv_norm(name: str, channels_out: int, channels_in: int, kernel: int) -> None:
        out[f"{name}._conv.weight"] = (channels_out, channels_in, kernel, kernel)
        norm(f"{name}._batch_norm", channels_out)

    def norm(name: str, channels: int) -> None:
        for kind in ("weight", "bias", "_mean", "_variance"):
            out[f"{name}.{kind}"] = (channels,)

    for i, (channels_in, channels_out) in enumerate(((3, 32), (32, 32), (32, 64)), start=1):
        conv_norm(f"backbone.conv1_{i}", channels_out, channels_in, 3)
    channels = 64
    for stage, blocks in enumerate(BLOCKS[depth]):
        mid = 64 * 2**stage
        for block in range(blocks):
            name = f"backbone.bb_{stage}_{block}"
            conv_norm(f"{name}.conv0", mid, channels, 1)
            conv_norm(f"{name}.conv1", mid, mid, 3)
            conv_norm(f"{name}.conv2", 4 * mid, mid, 1)
            if block == 0:
                conv_norm(f"{name}.short", 4 * mid, channels, 1)
            channels = 4 * mid
    conv_norm("head.conv_bn_relu", 512, 2048, 1)
    unit = "head.gru_module"
    for name, shape in (
        ("reduction_dim", (128, 512, 1, 1)),
        ("projection_mat", (64, 512, 1, 1)),
        ("gcn.conv1", (64, 64, 1)),
    ):
        out[f"{unit}.{name}.weight"] = shape
        out[f"{unit}.{name}.bias"] = shape[:1]
    out[f"{unit}.gcn.conv2.weight"] = (128, 128, 1)
    out[f"{unit}.extend_dim.weight"] = (512, 128, 1, 1)
    norm(f"{unit}.extend_bn", 512)
    conv_norm("head.auxlayer.conv_bn_relu", 256, 1024, 3)
    out["head.auxlayer.conv_bn_relu._conv.bias"] = (256,)
    for name, channels in (("head.classifier", 512), ("head.auxlayer.conv", 256)):
        out[f"{name}.weight"] = (num_classes, channels, 1, 1)
        out[f"{name}.bias"] = (num_classes,)
    return out


def forward(
    state: dict[str, Tensor], x: Tensor, depth: int, output_stride: int = 8
) -> tuple[Tensor, Tensor]:
    """Images (B, 3, H, W) to the logits of both heads, in evaluation."""
    strides, dilations = _STAGES[output_stride]

    def norm(name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
        kinds = ("_mean", "_variance", "weight", "bias")
        return F.batch_norm(x, *(state[f"{name}.{kind}"] for kind in kinds), eps=eps)

    def conv_norm(name: str, x: Tensor, *, stride: int = 1, dilation: int = 1) -> Tensor:
        weight = state[f"{name}._conv.weight"]
        padding = dilation * (weight.shape[2] // 2)
        bias = state.get(f"{name}._conv.bias")
        x = F.conv2d(x, weight, bias, stride=stride, padding=padding, dilation=dilation)
        return norm(f"{name}._batch_norm", x)

    x = F.relu(conv_norm("backbone.conv1_1", x, stride=2))
    x = F.relu(conv_norm("backbone.conv1_2", x))
    x = F.relu(conv_norm("backbone.conv1_3", x))
    x = F.max_pool2d(x, 3, stride=2, padding=1)
    stages = []
    for stage, blocks in enumerate(BLOCKS[depth]):
        for block in range(blocks):
            name = f"backbone.bb_{stage}_{block}"
            stride = strides[stage] if block == 0 else 1
            out = F.relu(conv_norm(f"{name}.conv0", x))
            out = F.relu(conv_norm(f"{name}.conv1", out, stride=stride, dilation=dilations[stage]))
            out = conv_norm(f"{name}.conv2", out)
            if block == 0:
                short = F.avg_pool2d(x, 2, 2, ceil_mode=True) if stride == 2 else x
                x = conv_norm(f"{name}.short", short)
            x = F.relu(x + out)
        stages.append(x)
    auxiliary = F.relu(conv_norm("head.auxlayer.conv_bn_relu", stages[2]))
    auxiliary = F.conv2d(
        auxiliary, state["head.auxlayer.conv.weight"], state["head.auxlayer.conv.bias"]
    )

    x = F.relu(conv_norm("head.conv_bn_relu", stages[3]))  # (B, C, H, W)
    unit = {k.removeprefix("head.gru_module."): v for k, v in state.items() if "gru_module" in k}
    flat = x.flatten(2)  # (B, C, L)
    phi = unit["reduction_dim.weight"].flatten(1) @ flat
    phi = phi + unit["reduction_dim.bias"][:, None]  # (B, S, L)
    theta = unit["projection_mat.weight"].flatten(1) @ flat
    theta = theta + unit["projection_mat.bias"][:, None]  # (B, N, L)
    nodes = phi @ theta.transpose(1, 2)  # (B, S, N)
    spread = nodes @ unit["gcn.conv1.weight"].squeeze(2).T + unit["gcn.conv1.bias"]
    nodes = F.relu(unit["gcn.conv2.weight"].squeeze(2) @ (spread + nodes))
    out = unit["extend_dim.weight"].flatten(1) @ (nodes @ theta)  # (B, C, L)
    x = x + norm("head.gru_module.extend_bn", out.unflatten(2, x.shape[2:]), eps=1e-4)
    return F.conv2d(x, state["head.classifier.weight"], state["head.classifier.bias"]), auxiliary


def random_state(depth: int, num_classes: int = 19) -> dict[str, Tensor]:
    """A network of that depth whose features stay of the order of 1."""
    generator = torch.Generator().manual_seed(0)
    out = {}
    for name, shape in shapes(depth, num_classes).items():
        value = torch.randn(shape, generator=generator)
        if len(shape) > 1:
            value = value / (value[0].numel() ** 0.5)
        elif name.endswith("_variance"):
            value = value.abs() * 0.2 + 0.8
        elif name.endswith("weight"):
            value = 0.5 + 0.1 * value
        else:
            value = 0.1 * value
        out[name] = value
    # Sums over positions are not divided by their number; keep the graph's states small.
    out["head.gru_module.reduction_dim.weight"] *= 0.05
    return out
