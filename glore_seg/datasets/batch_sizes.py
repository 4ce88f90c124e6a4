"""Whether the images of a validation can be stacked to batches."""

from pathlib import Path
from typing import Any

from glore_seg.errors import ConfigError, DataError
from glore_seg.utils.image_io import read_header

_TRIED = 16  # stored sizes, one image each


def check_batch_sizes(dataset: Any, batch_size: int, *, world_size: int = 1) -> None:
    """Raise a ConfigError if a batch of a validation, in order, has images of different sizes.

    The headers of the images are read, and one image of each of the first 16 sizes goes through the
    pipeline. It does nothing for ``batch_size`` 1, and where images cannot be read.

    Args:
        dataset: A dataset of mmengine whose samples have ``img_path``.
        batch_size: Images in a batch of each process.
        world_size: Number of processes, which take every ``world_size``-th image.
    """
    if batch_size <= 1:
        return
    starts = range(0, len(dataset), batch_size * world_size)
    batches = (
        range(start + rank, len(dataset), world_size)[:batch_size]
        for start in starts
        for rank in range(world_size)
    )
    sizes: dict[tuple[int, int], tuple[int, ...]] = {}  # of the file to that of the input
    for indices in batches:
        found: dict[tuple[int, ...], str] = {}
        try:
            for index in indices:
                path = dataset.get_data_info(index)["img_path"]
                stored = read_header(Path(path)).shape
                if stored not in sizes:
                    sizes[stored] = tuple(dataset[index]["inputs"].shape[-2:])
                found.setdefault(sizes[stored], path)
        except (AttributeError, DataError, KeyError, TypeError):
            return
        if len(found) > 1:
            named = " and ".join(f"{path} of {size}" for size, path in found.items())
            raise ConfigError(
                f"val_dataloader.batch_size is {batch_size}, and a batch would hold {named} "
                "pixels; expected one size: set val_dataloader.batch_size=1, or keep_ratio="
                "False in its Resize"
            )
        if len(sizes) >= _TRIED:
            return
