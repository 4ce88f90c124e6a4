"""Parameters and MACs of a network, without running it for real."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from glore_seg.layers import GloReUnit


@dataclass(frozen=True)
class Complexity:
    """What a network costs.

    Args:
        params: Trainable parameters.
        params_with_stats: Those and the running statistics of norms, as the paper mostly counts.
        macs: MACs of convolutions, linear layers and matrix products, the unit's own
            among them; norms, activations and interpolation are not counted.
        macs_by_module: The same for each module by its dotted name, where there are any.
    """

    params: int
    params_with_stats: int
    macs: int
    macs_by_module: dict[str, int]


def count_complexity(
    model: nn.Module,
    input_shape: tuple[int, ...],
    *,
    forward: Callable[[Tensor], object] | None = None,
) -> Complexity:
    """Count parameters and MACs; the model is moved to torch's meta device for it.

    GloRe units are counted in the paper's order, whatever their ``order`` says, as the published
    counts are: the same network has one count.

    Args:
        model: The network. It holds no values afterwards, and its units the paper's order: count
            last, or count a copy.
        input_shape: (B, C, *sizes).
        forward: What to run on the input. Default: ``model``.

    Returns:
        The counts for one forward pass in evaluation mode.

    Example:
        >>> from glore_seg import GloReUnit
        >>> count_complexity(GloReUnit(512, 64, 128), (1, 512, 8, 8)).params
        185600
    """
    params = sum(p.numel() for p in model.parameters() if p.requires_grad)
    stats = sum(b.numel() for b in model.buffers() if b.is_floating_point())
    model.eval().to("meta")
    for module in model.modules():
        if isinstance(module, GloReUnit):
            module.order = "coordinate"
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        (forward or model)(torch.empty(input_shape, device="meta"))
    # torch counts two operations for each MACs.
    root = type(model).__name__
    by_module = {
        name.removeprefix(f"{root}."): sum(counts.values()) // 2
        for name, counts in counter.get_flop_counts().items()
        if name not in ("Global", root)
    }
    # A module run by its forward() and not by calling it has no count: mmseg's heads are.
    uncounted = [n for n, _ in model.named_modules() if n and n not in by_module]
    for name in sorted(uncounted, key=lambda n: -n.count(".")):
        children = [f"{name}.{child}" for child, _ in model.get_submodule(name).named_children()]
        total = sum(by_module.get(child, 0) for child in children)
        if total:
            by_module[name] = total
    by_module = {n: by_module[n] for n, _ in model.named_modules() if n in by_module}
    return Complexity(params, params + stats, counter.get_total_flops() // 2, by_module)
