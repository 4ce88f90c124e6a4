"""The images that a submission must hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from glore_seg.errors import DataError
from glore_seg.evaluation.submission.png import CorruptedPngError, read_size

CITYSCAPES_SIZE = (2048, 1024)
"""Width and height of Cityscapes' images."""

CITYSCAPES_TEST_CITIES = {
    "berlin": 544,
    "bielefeld": 181,
    "bonn": 46,
    "leverkusen": 58,
    "mainz": 298,
    "munich": 398,
}
"""Images of each city of the test split, 1,525 in all."""

_KEY = re.compile(r"[^_:]+_\d{6}_\d{6}", re.ASCII)
_IMAGE = "_leftImg8bit.png"


@dataclass(frozen=True)
class ExpectedImages:
    """The images that a submission must hold, by name or, where no names are known, by city.

    Args:
        split: ``"train"``, ``"val"`` or ``"test"``.
        counts: The number of images of each city.
        sizes: ``CITY_SEQUENCE_FRAME`` to the image's (width, height); None where only the
            counts are known, and every size is that of Cityscapes.
    """

    split: str
    counts: Mapping[str, int]
    sizes: Mapping[str, tuple[int, int]] | None = None

    @classmethod
    def of_folder(cls, folder: str | Path, split: str) -> ExpectedImages:
        """Take the images of ``leftImg8bit/SPLIT``; their sizes are read from their headers.

        Raises:
            DataError: The folder is missing or holds no image.
            DataError: A name is not CITY_SEQUENCE_FRAME, or an image is no PNG.
        """
        folder = Path(folder)
        sizes = {}
        for path in sorted(folder.rglob(f"[!.]*{_IMAGE}")):
            key = image_key(path.name)
            if key is None:
                raise DataError(
                    f"{path} is not named CITY_123456_123456{_IMAGE}, as the server tells "
                    "images apart: name the dataset's images so"
                )
            try:
                sizes[key] = read_size(path)
            except CorruptedPngError as error:
                raise DataError(f"{path} {error}: unpack the dataset again") from error
        if not sizes:
            raise DataError(
                f"no *{_IMAGE} in {folder} or below: correct the data root or the split, or "
                "prepare the data as data/README.md says"
            )
        return cls(split, Counter(key.split("_")[0] for key in sizes), sizes)

    @classmethod
    def of_cityscapes_test(cls) -> ExpectedImages:
        """Take the cities and counts of Cityscapes' test split, without its image list."""
        return cls("test", CITYSCAPES_TEST_CITIES)

    @property
    def total(self) -> int:
        """The number of images."""
        return sum(self.counts.values())

    @property
    def largest(self) -> tuple[int, int]:
        """The (width, height) of the image with the most pixels."""
        if self.sizes is None:
            return CITYSCAPES_SIZE
        return max(self.sizes.values(), key=lambda size: size[0] * size[1])

    def size(self, key: str) -> tuple[int, int]:
        """Return the (width, height) of an image."""
        return CITYSCAPES_SIZE if self.sizes is None else self.sizes[key]

    def __contains__(self, key: str) -> bool:
        """Whether an image belongs to the split, as far as is known."""
        return key in self.sizes if self.sizes is not None else key.split("_")[0] in self.counts


def image_key(name: str) -> str | None:
    """Return ``CITY_SEQUENCE_FRAME`` at the head of a file's name, or None.

    The server takes for an image the one file whose name begins so and ends in ``.png``.

    Example:
        >>> image_key("berlin_000000_000019_labelIds.png")
        'berlin_000000_000019'
    """
    match = _KEY.match(name)
    return match.group() if match else None


def key_within(name: str) -> str | None:
    """Return ``CITY_SEQUENCE_FRAME`` from anywhere in a file's name, or None."""
    match = _KEY.search(name)
    return match.group() if match else None
