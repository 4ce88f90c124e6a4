"""Rename the state dict of another code base and compare it with a network of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from glore_seg.checkpoints.comparison import Comparison, compare_state_dicts
from glore_seg.checkpoints.converters.authors import from_authors, from_authors_video
from glore_seg.checkpoints.converters.paddleseg import from_paddleseg
from glore_seg.checkpoints.converters.resnet import from_mmpretrain, from_torchvision
from glore_seg.errors import CheckpointError


@dataclass(frozen=True)
class Source:
    """A code base whose weights can be converted.

    Args:
        rename: From its state dict to ours.
        backbone_only: Whether its weights are those of a backbone.
    """

    rename: Callable[[dict[str, Tensor]], dict[str, Tensor]]
    backbone_only: bool


SOURCES: Mapping[str, Source] = {
    "authors": Source(from_authors, backbone_only=False),
    "paddleseg": Source(from_paddleseg, backbone_only=False),
    "torchvision": Source(from_torchvision, backbone_only=True),
    "timm": Source(from_torchvision, backbone_only=True),
    "mmpretrain": Source(from_mmpretrain, backbone_only=True),
    "authors-video": Source(from_authors_video, backbone_only=False),
}
"""The sources by name."""


def convert(
    state: dict[str, Tensor], source: str, wanted: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], Comparison]:
    """Rename a state dict and compare it with the network that it is for.

    Args:
        state: Names and tensors of the source, see :func:`read_state_dict`.
        source: One of ``SOURCES``.
        wanted: State dict of our network: of its backbone for ``backbone_only`` sources.

    Returns:
        The renamed tensors that fit, in the order of the network, and the comparison.
    """
    renamed = SOURCES[source].rename(state)
    comparison = compare_state_dicts(wanted, renamed)
    return {name: renamed[name] for name in comparison.fitting}, comparison


def require_complete(
    comparison: Comparison, source: str, *, name: str, head_only: bool = False
) -> None:
    """Refuse a conversion that lacks parameters of the network.

    Units in a backbone, which ImageNet's networks do not have, and the auxiliary head may be
    missing.

    Args:
        comparison: From :func:`convert`.
        source: One of ``SOURCES``.
        name: Name of the weights, for the message.
        head_only: Whether the backbone may be missing too.

    Raises:
        CheckpointError: A required parameter is missing or of another shape.
    """
    required = [
        parameter
        for parameter in (*comparison.missing, *comparison.reshaped)
        if not (SOURCES[source].backbone_only and ".units." in parameter)
        and not (head_only and parameter.startswith("backbone."))
        and not parameter.startswith("auxiliary_head.")
    ]
    if required:
        raise CheckpointError(
            f"{name} lacks {len(required)} parameters of the network, nothing is written: give the "
            "config (--config) or the variant (--cfg-options model.backbone.variant=v1, v1c or "
            "v1d) of the network that it is from"
        )
