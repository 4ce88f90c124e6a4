"""The inputs of a :class:`Segmenter`: paths, folders, globs, arrays and PIL images."""

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageOps

from glore_seg.errors import DataError
from glore_seg.utils.image_io import IMAGE_SUFFIXES

ImageInput: TypeAlias = str | Path | np.ndarray | Image.Image
"""One image; a path may also be a folder or a glob of them in :meth:`Segmenter.stream`."""


def expand(inputs: ImageInput | Iterable[ImageInput]) -> Iterator[Path | np.ndarray | Image.Image]:
    """Single images in the given order; those of a folder or a glob by name.

    Raises:
        DataError: A folder or a glob has no images.
    """
    items: Iterable[ImageInput]
    items = [inputs] if isinstance(inputs, str | Path | np.ndarray | Image.Image) else inputs
    for item in items:
        if isinstance(item, str | Path):
            yield from find_files(item)
        else:
            yield item


def find_files(path: str | Path, *, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> list[Path]:
    """A file (which need not exist), the files with known suffixes below a folder, or a glob's.

    Hidden files and folders are left out of folders; ``**`` in a glob matches any folders.

    Raises:
        DataError: A folder or a glob has none.
    """
    path = Path(path)
    if path.is_dir():
        found = [
            file
            for file in path.rglob("*")
            if file.suffix.lower() in suffixes
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
    elif glob.has_magic(str(path)) and not path.exists():
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    else:
        return [path]
    files = sorted(file for file in found if file.is_file())
    if not files:
        raise DataError(f"{path} has no images; expected *{', *'.join(sorted(suffixes))}")
    return files


def to_rgb(image: np.ndarray | Image.Image, *, name: str = "the image") -> np.ndarray:
    """Convert an image in memory to (H, W, 3), RGB, uint8.

    It is a PIL image, or an array of uint8 or uint16, (H, W), (H, W, 1), (H, W, 3) in RGB, or
    (H, W, 4) with alpha, which is dropped. 16 bits keep their high byte.

    Raises:
        DataError: It is neither, or has another shape or type, or no pixels.
    """
    if isinstance(image, Image.Image):
        image = ImageOps.exif_transpose(image)
        is_int = image.mode.startswith("I")  # 16 bits, as int32 in some versions of Pillow
        image = np.asarray(image if is_int or image.mode == "F" else image.convert("RGB"))
        if is_int and image.size and image.min() >= 0 and image.max() < 2**16:
            image = image.astype(np.uint16)
    if not isinstance(image, np.ndarray):
        raise DataError(
            f"{name} is a {type(image).__name__}; expected a path, an array or a PIL image"
        )
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8:
        raise DataError(
            f"{name} has the type {image.dtype}; expected uint8 (0 to 255) or uint16: scale and "
            "convert it"
        )
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or not image.size:
        raise DataError(
            f"{name} has the shape {image.shape}; expected (height, width) or (height, width, "
            "channels) with 1, 3 or 4 channels and at least one pixel: pass several images to "
            "stream()"
        )
    if image.shape[2] == 1:
        image = image.repeat(3, axis=2)
    return np.ascontiguousarray(image[..., :3])
