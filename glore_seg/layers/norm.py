"""A clear word where a norm has nothing to take statistics over."""

from math import prod

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from glore_seg.layers.synchronised_norm import SynchronisedBatchNorm


def check_norm_positions(norm: nn.Module, x: Tensor, *, where: str) -> None:
    """Refuse an input that leaves ``norm`` one value a channel to take its statistics over.

    Args:
        norm: The norm that will see a tensor of the same batch and sizes as ``x``.
        x: (B, C, *sizes).
        where: Name of the caller, for the message.

    Raises:
        ValueError: ``norm`` is a BatchNorm in training (or without running statistics) and
            ``B * L == 1``, or an InstanceNorm and ``L == 1``.
    """
    # Synchronised norms gather over processes, so that one value here need not be the only one.
    # A tuple of types: torch 2.4 does not compile a union.
    if isinstance(norm, _InstanceNorm):
        values, over = prod(x.shape[2:]), "the positions of one picture"
    elif isinstance(norm, _BatchNorm) and not isinstance(
        norm, (nn.SyncBatchNorm, SynchronisedBatchNorm)
    ):
        if not norm.training and norm.track_running_stats:
            return
        values, over = x.shape[0] * prod(x.shape[2:]), "batch and positions"
    else:
        return
    if values == 1:
        raise ValueError(
            f"{where}: {type(norm).__name__} takes its statistics over {over}, which is a single "
            f"value for an input of shape {tuple(x.shape)}. Use a larger picture or batch, or a "
            "norm over channels, such as norm_cfg=dict(type='GN', num_groups=32)"
        )
