"""The size of input that a network's cost is counted for, by the task of its config."""

from collections.abc import Sequence

from mmengine.config import Config

from glore_seg.apis.tasks import task_of
from glore_seg.errors import ConfigError

# As published: Cityscapes' images, ImageNet's crops, and Kinetics' clips of 8 frames.
_PUBLISHED = {"segmentation": (1024, 2048), "classification": (224, 224), "video": (8, 224, 224)}


def input_sizes(cfg: Config, shape: Sequence[int] | None = None) -> tuple[int, ...]:
    """Return height and width in pixels, and for a video config the frames before them.

    Args:
        cfg: The config.
        shape: Sizes asked for; one number is height and width. Default: those that the paper
            counts for.

    Raises:
        ConfigError: ``shape`` is of another length than the task's inputs.
    """
    published = _PUBLISHED[task_of(cfg).name]
    if shape is None:
        return published
    sizes = (shape[0], shape[0]) if len(shape) == 1 else tuple(shape)
    if len(sizes) != len(published):
        video = len(published) == 3
        raise ConfigError(
            f"the size of the input is {tuple(shape)}, and this is a {task_of(cfg).name} config; "
            f"expected {'frames, height and width' if video else 'height and width'}, such as "
            f"{' '.join(map(str, published))}"
        )
    return sizes
