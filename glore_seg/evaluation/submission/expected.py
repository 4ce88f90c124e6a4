"""The images that a submission must hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from glore_seg.errors import DataError
from glore_seg.utils.image_io import read_header

KEY = re.compile(r"[^_:]+_\d{6}_\d{6}", re.ASCII)
_IMAGE = "_leftImg8bit.png"
_LABELS = "_gtFine_labelIds.png"


@dataclass(frozen=True)
class ExpectedImages:
    """The images that a submission must hold.

    Args:
        split: ``"train"``, ``"val"`` or ``"test"``.
        sizes: ``CITY_SEQUENCE_FRAME`` to the image's (width, height).
    """

    split: str
    sizes: Mapping[str, tuple[int, int]]

    @classmethod
    def of_folder(cls, folder: str | Path, split: str) -> "ExpectedImages":
        """Take the images of ``leftImg8bit/SPLIT`` with the sizes in their headers.

        Raises:
            DataError: There are none, a name does not fit, or an image cannot be opened.
        """
        sizes = {}
        for path in sorted(Path(folder).rglob(f"[!.]*{_IMAGE}")):
            key = image_key(path.name)
            if key is None:
                raise DataError(
                    f"{path}: expected the name CITY_123456_123456{_IMAGE}, by which the server "
                    "finds images: rename the dataset's images"
                )
            height, width = read_header(path).shape
            sizes[key] = width, height
        if not sizes:
            raise DataError(
                f"no *{_IMAGE} in {folder} or below: correct the data root or the split, or "
                "prepare the data as data/README.md says"
            )
        return cls(split, sizes)

    def ground_truth(self, root: str | Path) -> dict[str, Path] | None:
        """Find the ``*_gtFine_labelIds.png`` of each image; None for the test split or without any.

        Raises:
            DataError: Only some images have ground truth.
        """
        folder = Path(root) / "gtFine" / self.split
        found = {path.name.removesuffix(_LABELS): path for path in folder.rglob(f"[!.]*{_LABELS}")}
        if self.split == "test" or not found:
            return None
        missing = sorted(set(self.sizes) - set(found))
        if missing:
            raise DataError(
                f"{len(missing)} of {len(self.sizes)} images have no *{_LABELS} in {folder}, such "
                f"as {missing[0]}: unpack gtFine_trainvaltest.zip again"
            )
        return found


def image_key(name: str) -> str | None:
    """Return ``CITY_SEQUENCE_FRAME`` at the beginning of a file name, or None.

    The server looks for the one file whose name begins with it and ends in ``.png``.

    Example:
        >>> image_key("berlin_000000_000019_labelIds.png")
        'berlin_000000_000019'
    """
    match = KEY.match(name)
    return match.group() if match else None
