"""The released 3D networks, written out: names and shapes, and what they compute from them."""

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.released_unit import ReleasedUnit

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
UNITS = {50: ((), (1, 3), (1, 3, 5), ()), 101: ((), (1, 3), (6, 12, 18), ())}
NORM = ("weight", "bias", "running_mean", "running_var")


def released_unit(channels: int) -> ReleasedUnit:
    """C / 4 nodes of C / 2 states; sums over positions are not divided by their number."""
    with torch.device("meta"):
        return ReleasedUnit(channels, channels // 4, channels // 2, ndim=3, normalize=False).eval()


def frames_of(stage: int, block: int) -> int:
    """Time length of ``conv_m1``'s kernel."""
    if stage == 2:
        return 3
    if stage == 5:
        return 3 if block == 2 else 1
    return 3 if block % 2 else 1


def shapes(depth: int, classes: int = 400, base: int = 64) -> dict[str, tuple[int, ...]]:
    """Names to shapes, without ``num_batches_tracked``."""
    out: dict[str, tuple[int, ...]] = {"conv1.conv.weight": (base // 2, 3, 3, 5, 5)}

    def norm(name, channels):
        out.update({f"{name}.{kind}": (channels,) for kind in NORM})

    def layer(name, channels, filters, kernel):
        norm(f"{name}.bn", channels)
        out[f"{name}.conv.weight"] = (filters, channels, *kernel)

    norm("conv1.bn", base // 2)
    before = base // 2
    for stage, (blocks, units) in enumerate(zip(BLOCKS[depth], UNITS[depth], strict=True), 2):
        middle = base * 2 ** (stage - 2)
        for block in range(1, blocks + 1):
            name = f"conv{stage}.B{block:02d}"
            layer(f"{name}.conv_m1", before, middle, (frames_of(stage, block), 1, 1))
            layer(f"{name}.conv_m2", middle, middle, (1, 3, 3))
            layer(f"{name}.conv_m3", middle, 4 * middle, (1, 1, 1))
            if block == 1:
                layer(f"{name}.conv_w1", before, 4 * middle, (1, 1, 1))
            before = 4 * middle
            if block in units:
                unit = released_unit(before).state_dict()
                del unit["blocker.num_batches_tracked"]
                out |= {f"{name}_extra.{key}": tuple(value.shape) for key, value in unit.items()}
    norm("tail.bn", before)
    out.update({"classifier.weight": (classes, before), "classifier.bias": (classes,)})
    return out


def random_state(depth: int, classes: int = 400, base: int = 64) -> dict[str, Tensor]:
    """Weights of sizes that keep the features in range."""
    torch.manual_seed(0)
    state = {}
    for name, shape in shapes(depth, classes, base).items():
        if name.endswith("running_var") or (".bn." in name and name.endswith("weight")):
            state[name] = torch.rand(shape) + 0.5
        elif len(shape) > 1:
            state[name] = torch.randn(shape) * torch.Size(shape[1:]).numel() ** -0.5
            if "conv_state" in name or "conv_proj" in name:
                state[name] *= 0.1  # the nodes are sums over all positions
        else:
            state[name] = torch.randn(shape) * 0.1
    return state


def forward(state: dict[str, Tensor], x: Tensor, depth: int) -> Tensor:
    """Scores of clips (B, 3, T, H, W), evaluated; pooling by a window of what is left."""

    def norm(name, x):
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.batch_norm(x, mean, var, weight, bias, eps=1e-4)

    def layer(name, x, stride=(1, 1, 1)):
        weight = state[f"{name}.conv.weight"]
        padding = [size // 2 for size in weight.shape[2:]]
        x = functional.relu(norm(f"{name}.bn", x))
        return functional.conv3d(x, weight, stride=stride, padding=padding)

    def unit(name, x):
        own = {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}
        return torch.func.functional_call(released_unit(x.shape[1]), own, x)

    x = functional.conv3d(x, state["conv1.conv.weight"], stride=(1, 2, 2), padding=(1, 2, 2))
    x = functional.relu(norm("conv1.bn", x))
    x = functional.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
    strides = {2: (1, 1, 1), 3: (2, 2, 2), 4: (1, 2, 2), 5: (1, 2, 2)}
    for stage, (blocks, units) in enumerate(zip(BLOCKS[depth], UNITS[depth], strict=True), 2):
        for block in range(1, blocks + 1):
            name = f"conv{stage}.B{block:02d}"
            stride = strides[stage] if block == 1 else (1, 1, 1)
            inner = layer(f"{name}.conv_m2", layer(f"{name}.conv_m1", x), stride)
            shortcut = layer(f"{name}.conv_w1", x, stride) if block == 1 else x
            x = layer(f"{name}.conv_m3", inner) + shortcut
            if block in units:
                x = unit(f"{name}_extra", x)
    x = functional.relu(norm("tail.bn", x))
    x = functional.avg_pool3d(x, x.shape[2:]).flatten(1)
    return functional.linear(x, state["classifier.weight"], state["classifier.bias"])
