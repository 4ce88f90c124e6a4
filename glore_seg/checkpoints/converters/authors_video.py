"""The authors' video networks (3D ResNets on Kinetics, Section 4.4).

Their names are those of :class:`glore_seg.layers.VideoResNet`, which loads them unchanged; a
recognizer of mmaction2 has everything but the classifier in its backbone.
"""

from torch import Tensor


def from_authors_video(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename a released video network to a ``Recognizer3D`` with ``GloReVideoResNet``.

    Args:
        state: Their state dict, without ``module.``.

    Returns:
        ``classifier.`` as ``cls_head.fc_cls.``, and ``backbone.`` before everything else.
    """
    return {_name(name): value for name, value in state.items()}


def _name(name: str) -> str:
    if name.startswith("classifier."):
        return f"cls_head.fc_cls.{name.removeprefix('classifier.')}"
    return f"backbone.{name}"
