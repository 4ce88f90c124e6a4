"""The input size that the cost of a network is counted for."""

from collections.abc import Sequence

from mmengine.config import Config

from glore_seg.apis.tasks import task_of
from glore_seg.errors import ConfigError

# Cityscapes' images, ImageNet's crops, and Kinetics' clips of 8 frames.
_PUBLISHED = {"segmentation": (1024, 2048), "classification": (224, 224), "video": (8, 224, 224)}


def input_sizes(cfg: Config, shape: Sequence[int] | None = None) -> tuple[int, ...]:
    """Return height and width in pixels, for a video config preceded by the number of frames.

    Args:
        cfg: The config.
        shape: The sizes; one number is height and width. Default: those of the paper.

    Raises:
        ConfigError: ``shape`` does not have the length of the task's inputs.
    """
    published = _PUBLISHED[task_of(cfg).name]
    if shape is None:
        return published
    sizes = (shape[0], shape[0]) if len(shape) == 1 else tuple(shape)
    if len(sizes) != len(published):
        names = "frames, height and width" if len(published) == 3 else "height and width"
        raise ConfigError(
            f"the input size is {tuple(shape)}; expected {names} for {task_of(cfg).name}, such as "
            f"{' '.join(map(str, published))}"
        )
    return sizes
