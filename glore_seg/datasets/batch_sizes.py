"""Whether the images of a validation can be stacked to batches."""

from pathlib import Path
from typing import Any

from glore_seg.errors import ConfigError, DataError
from glore_seg.utils.image_io import read_header


def check_batch_sizes(dataset: Any, batch_size: int, *, world_size: int = 1) -> None:
    """Raise a ConfigError if a batch of a validation, in order, has images of different sizes.

    The headers of all images are read, and one image of each size goes through the pipeline. It
    does nothing for ``batch_size`` 1, and where images cannot be read.

    Args:
        dataset: A dataset of mmengine whose samples have ``img_path``.
        batch_size: Images in a batch of each process.
        world_size: Number of processes, which take every ``world_size``-th image.
    """
    if batch_size <= 1:
        return
    try:
        paths = [dataset.get_data_info(i)["img_path"] for i in range(len(dataset))]
        stored = [read_header(Path(path)).shape for path in paths]
        sizes = {size: dataset[stored.index(size)]["inputs"].shape[-2:] for size in {*stored}}
    except (AttributeError, DataError, KeyError, TypeError):
        return
    for rank in range(world_size):
        share = range(rank, len(paths), world_size)
        for first in range(0, len(share), batch_size):
            batch = share[first : first + batch_size]
            other = [i for i in batch if sizes[stored[i]] != sizes[stored[batch[0]]]]
            if other:
                found = " and ".join(
                    f"{paths[i]} of {tuple(sizes[stored[i]])}" for i in (batch[0], other[0])
                )
                raise ConfigError(
                    f"val_dataloader.batch_size is {batch_size}, and a batch would hold {found} "
                    "pixels; expected one size: set val_dataloader.batch_size=1, or keep_ratio="
                    "False in its Resize"
                )
