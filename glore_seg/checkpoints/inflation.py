"""From the weights of a 2D network to those of a 3D one that looks at clips."""

from collections.abc import Mapping

from torch import Tensor


def inflate(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Spread 2D kernels along time, as the released video networks start from ImageNet.

    A kernel of k frames takes the 2D kernel k times, divided by k: on a clip that stands still it
    computes what the image's network does.

    Args:
        state: Names and tensors of the 2D network, or of a 3D one.
        wanted: State dict of the 3D network.

    Returns:
        ``state`` with each kernel (O, I, H, W) for which the network has one (O, I, T, H, W) made
        into that, and without a classifier of another number of classes. What has another shape
        otherwise is left as it is, for the comparison to name.
    """
    out = {}
    for name, value in state.items():
        own = wanted.get(name)
        if own is None or own.shape == value.shape:
            out[name] = value
        elif value.dim() == 4 and own.dim() == 5 and _without_time(own) == tuple(value.shape):
            frames = own.shape[2]
            out[name] = (value / frames)[:, :, None].repeat(1, 1, frames, 1, 1)
        elif not name.startswith("classifier."):
            out[name] = value
    return out


def _without_time(weight: Tensor) -> tuple[int, ...]:
    return (*weight.shape[:2], *weight.shape[3:])
