"""From somebody else's state dict to one that a network here loads, with a word on what fits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from glore_seg.checkpoints.comparison import Comparison, compare_state_dicts
from glore_seg.checkpoints.converters.authors import from_authors
from glore_seg.checkpoints.converters.authors_video import from_authors_video
from glore_seg.checkpoints.converters.paddleseg import from_paddleseg
from glore_seg.checkpoints.converters.resnet import from_mmpretrain, from_torchvision
from glore_seg.errors import CheckpointError


@dataclass(frozen=True)
class Source:
    """Somebody whose weights are understood.

    Args:
        rename: From their state dict to ours.
        backbone_only: Whether theirs is the backbone alone.
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
"""Name of each source to what it is."""


def convert(
    state: dict[str, Tensor], source: str, wanted: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], Comparison]:
    """Rename a state dict and compare it with the network that it is for.

    Args:
        state: Somebody else's names and tensors, as ``read_state_dict`` gives them.
        source: One of ``SOURCES``.
        wanted: State dict of the network here: the backbone's for sources of backbones alone,
            otherwise the whole segmentor's.

    Returns:
        The renamed tensors that fit, in the order of the network, and the comparison.

    Raises:
        CheckpointError: An unknown source.
    """
    if source not in SOURCES:
        raise CheckpointError(f"source is {source!r}; expected one of {', '.join(SOURCES)}")
    renamed = SOURCES[source].rename(state)
    comparison = compare_state_dicts(wanted, renamed)
    return {name: renamed[name] for name in comparison.fitting}, comparison


def require_complete(
    comparison: Comparison, source: str, *, name: str, head_only: bool = False
) -> None:
    """Refuse a conversion that lacks what the network needs.

    Units in a backbone, which ImageNet's networks do not have, and the auxiliary head may be
    missing.

    Args:
        comparison: As :func:`convert` gives it.
        source: One of ``SOURCES``.
        name: The weights', for the message.
        head_only: Whether the backbone may be missing too.

    Raises:
        CheckpointError: Something needed is missing or of another shape.
    """
    due = [
        parameter
        for parameter in (*comparison.missing, *comparison.reshaped)
        if not (SOURCES[source].backbone_only and ".units." in parameter)
        and not (head_only and parameter.startswith("backbone."))
        and not parameter.startswith("auxiliary_head.")
    ]
    if due:
        raise CheckpointError(
            f"{len(due)} parameters that the network needs are not in {name}, so nothing is "
            "written: give the config (--config) or the variant (--cfg-options "
            "model.backbone.variant=v1, v1c or v1d) of the network that they come from"
        )
