"""ResNets of torchvision, timm and PyTorch-Encoding, with the names of mmseg's."""

import re

from torch import Tensor

from glore_seg.checkpoints.reading import strip_prefix

# Prefixes of a classifier that a backbone does not have.
_CLASSIFIER = ("fc.", "head.", "num_batches_tracked")


def from_torchvision(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename a ResNet of torchvision or timm to that of ``GloReResNet``.

    The blocks have the same names. The deep stem of v1c and v1d is a ``conv1`` of three
    convolutions followed by ``bn1``, here ``stem.0`` to ``stem.7``. The classifier is dropped.

    Args:
        state: The classifier's state dict.

    Returns:
        State dict of the backbone.
    """
    deep = "conv1.0.weight" in state
    return {
        _stem(name) if deep else name: value
        for name, value in state.items()
        if not name.startswith(_CLASSIFIER)
    }


def from_mmpretrain(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take the backbone from a classifier of mmpretrain, whose ResNet has the names of mmseg's.

    Args:
        state: The classifier's state dict, or the backbone's alone.

    Returns:
        State dict of the backbone.
    """
    return strip_prefix(state, "backbone.")


def _stem(name: str) -> str:
    # conv1.{0,1,3,4,6} keep their numbers; bn1 is the norm of the last, number 7
    return re.sub(r"^bn1\.", "stem.7.", re.sub(r"^conv1\.", "stem.", name))
