"""What the processes of a training send each other at every step, counted from the network.

Shape legend: C channels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import register_module_forward_hook

from glore_seg.apis.complexity import meta_forward
from glore_seg.engine.runner import build_model
from glore_seg.layers import GloReUnit
from glore_seg.layers.synchronized_norm import SynchronizedBatchNorm

MIB = 1 << 20
_FLOAT = 4  # bytes; statistics are fp32 in mixed precision too
_VOTE = 8  # bytes: whether a signal has come to any process


@dataclass(frozen=True)
class Messages:
    """Bytes of each message of one step, as one process gives them in.

    Args:
        gradients: All-reduces of DDP, one a bucket, in their order.
        reduced: All-reduces of norms' statistics and their gradients.
        gathered: All-gathers of norms' statistics.
        votes: All-reduces of the training loop.
    """

    gradients: tuple[int, ...]
    reduced: tuple[int, ...]
    gathered: tuple[int, ...]
    votes: tuple[int, ...] = (_VOTE,)


def count_messages(cfg: Config, input_shape: tuple[int, ...], *, bucket_mb: float = 25) -> Messages:
    """Count what a step of several processes sends.

    The network is built without weights and run once without values, for the norms that it
    calls. Frozen parameters and norms in evaluation send nothing. Parts that are computed twice
    (``with_cp``) count once.

    Args:
        cfg: Config of any of the three tasks.
        input_shape: One input, as for :func:`glore_seg.apis.complexity.count_config`.
        bucket_mb: DDP's ``bucket_cap_mb``, in MiB.
    """
    model = build_model(cfg).train()
    wanted = [p for p in model.parameters() if p.requires_grad]
    sizes = [p.numel() * p.element_size() for p in reversed(wanted)]
    reduced: list[int] = []
    gathered: list[int] = []
    for norm, folded in _synchronised(model, meta_forward(cfg, model, input_shape)):
        channels = norm.num_features
        if isinstance(norm, SynchronizedBatchNorm) or folded:
            # Count and sum, then squares; their gradients the other way round.
            reduced += [_FLOAT * n for n in (channels + 1, channels, channels, channels + 1)]
        else:  # torch's: mean, inverse deviation and count; two sums of gradients
            gathered.append(_FLOAT * (2 * channels + 1))
            reduced.append(_FLOAT * 2 * channels)
    return Messages(buckets(sizes, bucket_mb), tuple(reduced), tuple(gathered))


def buckets(sizes: list[int], bucket_mb: float) -> tuple[int, ...]:
    """Bytes of each of DDP's buckets: full at its cap, the first one at 1 MiB.

    Args:
        sizes: Bytes of each gradient, in the order in which they come.
        bucket_mb: The cap in MiB.
    """
    found: list[int] = []
    open_ = 0
    for size in sizes:
        open_ += size
        if open_ >= (bucket_mb if found else min(1, bucket_mb)) * MIB:
            found.append(open_)
            open_ = 0
    return tuple([*found, open_] if open_ else found)


def _synchronised(model: nn.Module, run: Callable[[], Any]) -> list[tuple[_BatchNorm, bool]]:
    """Each norm over processes that a step calls, and whether a unit folds it away."""
    found: list[tuple[_BatchNorm, bool]] = []
    last = {module.blocker for module in model.modules() if isinstance(module, GloReUnit)}

    def note(module: nn.Module, *_: object) -> None:
        unit = module if isinstance(module, GloReUnit) else None
        norm = unit.blocker if unit else module
        if isinstance(norm, _BatchNorm) and _is_over_processes(norm) and (unit or norm not in last):
            found.append((norm, unit is not None and unit.takes_interaction_space(None)))

    # For all modules: a unit whose norm has a hook of its own takes the paper's order.
    handle = register_module_forward_hook(note)
    try:
        run()
    finally:
        handle.remove()
    auxiliary = getattr(model, "auxiliary_head", None)  # of training alone
    for module in auxiliary.modules() if isinstance(auxiliary, nn.Module) else ():
        note(module)
    return found


def _is_over_processes(norm: nn.Module) -> bool:
    return isinstance(norm, nn.SyncBatchNorm | SynchronizedBatchNorm) and norm.training
