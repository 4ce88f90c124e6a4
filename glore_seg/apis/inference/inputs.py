"""What a caller names, as single images: paths, arrays, PIL images, folders, globs, lists."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from glore_seg.apis.inference.reading import IMAGE_SUFFIXES, read_image, to_rgb
from glore_seg.errors import DataError

ImageInput: TypeAlias = str | Path | np.ndarray | Image.Image
"""One image, or, as text, a folder or a glob of them."""


@dataclass(frozen=True, eq=False)
class Source:
    """One image, not yet read.

    Args:
        path: The file; None for one from memory.
        data: What is in memory, an array or a PIL image; None for a file.
        index: Its place among all, for messages.
    """

    path: Path | None
    data: Any = None
    index: int = 0

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return f"image {self.index}" if self.path is None else str(self.path)

    def read(self, *, backend: str) -> np.ndarray:
        """The image, (H, W, 3), RGB, uint8; raises what :mod:`reading` does."""
        if self.path is None:
            return to_rgb(self.data, name=self.name)
        return read_image(self.path, backend=backend)


def is_single(inputs: Any) -> bool:
    """Whether inputs stand for one image: not a list, not a folder, not a glob."""
    if isinstance(inputs, str | Path):
        return not Path(inputs).is_dir() and not is_glob(inputs)
    return not isinstance(inputs, Iterable) or isinstance(inputs, np.ndarray | Image.Image)


def is_glob(path: str | Path) -> bool:
    """Whether a path that is no file has ``*``, ``?`` or ``[`` in it."""
    return glob.has_magic(str(path)) and not Path(path).exists()


def expand(inputs: ImageInput | Iterable[ImageInput]) -> Iterator[Source]:
    """Single images, in the order given; those of a folder or a glob by name.

    Raises:
        DataError: A folder or a glob holds none.
    """
    items: Any = [inputs] if _is_one(inputs) else inputs
    index = 0
    for item in items:
        if isinstance(item, str | Path):
            for path in files_of(item):
                yield Source(path, index=index)
                index += 1
        else:
            yield Source(None, item, index)
            index += 1


def files_of(path: str | Path, *, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> list[Path]:
    """The file, all files of the known endings in a folder and its folders, or those of a glob.

    Hidden files and folders are left out of folders.

    Args:
        path: A file, whether it is there or not, a folder, or a glob, where ``**`` is any folders.
        suffixes: The known endings.

    Raises:
        DataError: A folder or a glob holds none.
    """
    if is_glob(path):
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]
        kind = "glob"
    elif Path(path).is_dir():
        found = [
            file
            for file in Path(path).rglob("*")
            if file.suffix.lower() in suffixes
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
        kind = "folder"
    else:
        return [Path(path)]
    files = sorted(file for file in found if file.is_file())
    if not files:
        raise DataError(
            f"{kind} {path} holds no image; expected one or more, in a folder named "
            f"*{', *'.join(sorted(suffixes))}"
        )
    return files


def _is_one(inputs: Any) -> bool:
    return isinstance(inputs, str | Path | np.ndarray | Image.Image) or not isinstance(
        inputs, Iterable
    )
