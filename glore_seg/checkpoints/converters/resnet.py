"""ResNets of torchvision, timm and PyTorch-Encoding, under the names of mmseg's."""

import re

from torch import Tensor

# The last layers of a classifier, which a backbone does not have.
_CLASSIFIER = ("fc.", "head.", "num_batches_tracked")


def from_torchvision(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename a ResNet of torchvision or timm to that of ``GloReResNet``.

    The blocks bear the same names. The deep stem of v1c and v1d is one ``conv1`` of three
    convolutions with ``bn1`` behind it, here ``stem.0`` to ``stem.7``. The classifier is dropped.

    Args:
        state: The classifier's state dict.

    Returns:
        The backbone's.
    """
    deep = "conv1.0.weight" in state
    return {
        _stem(name) if deep else name: value
        for name, value in state.items()
        if not name.startswith(_CLASSIFIER)
    }


def from_mmpretrain(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take the backbone out of a classifier of mmpretrain, whose ResNets are named as mmseg's.

    Args:
        state: The classifier's state dict, or the backbone's alone.

    Returns:
        The backbone's.
    """
    if not any(name.startswith("backbone.") for name in state):
        return dict(state)
    return {
        name.removeprefix("backbone."): value
        for name, value in state.items()
        if name.startswith("backbone.")
    }


def _stem(name: str) -> str:
    # conv1.{0,1,3,4,6} keep their numbers; bn1 is the norm of the last, number 7
    return re.sub(r"^bn1\.", "stem.7.", re.sub(r"^conv1\.", "stem.", name))
