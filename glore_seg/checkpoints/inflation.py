"""Inflate the weights of a 2D network to those of a 3D network for clips."""

from collections.abc import Mapping

from torch import Tensor


def inflate(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Repeat 2D kernels along time, as the released video networks start from ImageNet.

    A kernel of k frames is the 2D kernel k times, divided by k: on a static clip it computes what
    the 2D network computes on the image.

    Args:
        state: Names and tensors of the 2D network, or of a 3D one.
        wanted: State dict of the 3D network.

    Returns:
        ``state`` with kernels (O, I, H, W) inflated to the network's (O, I, T, H, W), and without
        a classifier of another number of classes. Other shapes that differ are kept.
    """
    out = {}
    for name, value in state.items():
        own = wanted.get(name)
        if own is None or own.shape == value.shape:
            out[name] = value
        elif own.dim() == 5 and own.select(2, 0).shape == value.shape:
            frames = own.shape[2]
            out[name] = (value / frames)[:, :, None].repeat(1, 1, frames, 1, 1)
        elif not name.startswith("classifier."):
            out[name] = value
    return out
