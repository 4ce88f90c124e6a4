"""Count parameters and MACs (multiply-accumulate operations) of a network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from glore_seg.apis.tasks import task_of
from glore_seg.engine.runner import build_model
from glore_seg.errors import ConfigError
from glore_seg.export.graphs import use_order


@dataclass(frozen=True)
class Complexity:
    """Size and cost of a network.

    ``params`` are trainable; the paper mostly counts ``params_with_stats``, the running statistics
    of norms, too. ``macs`` are those of convolutions, linear layers and matrix products, including
    the unit's, not of norms, activations and interpolation; ``macs_by_module`` by dotted name.
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
    """Count parameters, and MACs of one forward pass in evaluation mode on (B, C, *sizes).

    GloRe units are counted in the paper's order, like the published counts. Count last, or a copy:
    the model is moved to torch's meta device, which drops its values, and its units stay in the
    paper's order. ``forward`` is run on the input instead of the model.

    Example:
        >>> from glore_seg import GloReUnit
        >>> count_complexity(GloReUnit(512, 64, 128), (1, 512, 8, 8)).params
        185600
    """
    params = sum(p.numel() for p in model.parameters() if p.requires_grad)
    stats = sum(b.numel() for b in model.buffers() if b.is_floating_point())
    model.eval().to("meta")
    use_order(model, "coordinate")
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        (forward or model)(torch.empty(input_shape, device="meta"))
    # torch counts two operations per MAC.
    root = type(model).__name__
    by_module = {
        name.removeprefix(f"{root}."): sum(counts.values()) // 2
        for name, counts in counter.get_flop_counts().items()
        if name not in ("Global", root)
    }
    # A module that is run by its forward(), such as mmseg's heads, has no count.
    uncounted = [n for n, _ in model.named_modules() if n and n not in by_module]
    for name in sorted(uncounted, key=lambda n: -n.count(".")):
        children = [f"{name}.{child}" for child, _ in model.get_submodule(name).named_children()]
        total = sum(by_module.get(child, 0) for child in children)
        if total:
            by_module[name] = total
    by_module = {n: by_module[n] for n, _ in model.named_modules() if n in by_module}
    return Complexity(params, params + stats, counter.get_total_flops() // 2, by_module)


def count_config(cfg: Config, input_shape: tuple[int, ...]) -> Complexity:
    """Build the network of a config without weights, and count it.

    One input is an image (C, H, W), or a clip (C, T, H, W).
    """
    model = build_model(cfg)
    shape, forward = forward_call(cfg, model, input_shape)
    return count_complexity(model, shape, forward=forward)


def forward_call(
    cfg: Config, model: nn.Module, input_shape: tuple[int, ...]
) -> tuple[tuple[int, ...], Callable[..., object]]:
    """Shape of a batch of one input as in :func:`count_config`, and the forward pass on it."""
    if task_of(cfg).name != "video":
        return (1, *input_shape), partial(model, mode="tensor")
    # A recognizer takes several clips per video, and returns features unless told otherwise.
    return (1, 1, *input_shape), partial(model, mode="tensor", stage="head")


def input_sizes(cfg: Config, shape: Sequence[int] | None = None) -> tuple[int, ...]:
    """Height and width in pixels of a config's inputs, for video preceded by the number of frames.

    One number in ``shape`` is height and width. The default is the paper's size.

    Raises:
        ConfigError: ``shape`` does not have the length of the task's inputs.
    """
    task = task_of(cfg)
    if shape is None:
        return task.input_size
    sizes = (shape[0], shape[0]) if len(shape) == 1 else tuple(shape)
    if len(sizes) != len(task.input_size):
        names = "frames, height and width" if task.name == "video" else "height and width"
        raise ConfigError(
            f"the input size is {tuple(shape)}; expected {names} for {task.name}, such as "
            f"{' '.join(map(str, task.input_size))}"
        )
    return sizes
