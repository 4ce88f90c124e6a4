"""Errors of mmcv's ``LoadImageFromFile`` and ``LoadAnnotations`` that name the file.

Decoders raise, for example, ``UnidentifiedImageError: cannot identify image file <_io.BytesIO
object at 0x...>``, which does not tell which file it is.
"""

import functools
import struct
import zlib
from typing import Any

from glore_seg.compat.patch import Patch
from glore_seg.errors import CorruptedFileError, GloReSegError


def _not_needed() -> str:
    from mmcv.transforms import LoadImageFromFile

    return "already done" if hasattr(LoadImageFromFile.transform, "__wrapped__") else ""


def _apply() -> None:
    import cv2
    from mmcv.transforms import LoadAnnotations, LoadImageFromFile
    from PIL import Image

    decoding = (
        *(OSError, EOFError, SyntaxError, ValueError, cv2.error, zlib.error, struct.error),
        Image.DecompressionBombError,
    )
    # mmcv asserts that an image is not None, which is what OpenCV returns; for labels it does not.
    _name_file(LoadImageFromFile, "img_path", (*decoding, AssertionError))
    _name_file(LoadAnnotations, "seg_map_path", (*decoding, AttributeError))


def _name_file(loader: Any, key: str, errors: tuple[type[Exception], ...]) -> None:
    original = loader.transform

    @functools.wraps(original)
    def transform(self: Any, results: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return original(self, results)
        except GloReSegError:
            raise
        except errors as error:
            raise CorruptedFileError(
                f"{results.get(key)} cannot be read as an image ({type(error).__name__}: {error}); "
                "expected a complete file: get it again"
            ) from error

    loader.transform = transform


PATCH = Patch(
    name="image_loading",
    reason="errors of mmcv's LoadImageFromFile and LoadAnnotations do not name the file",
    upstream="mmcv",
    not_needed=_not_needed,
    apply=_apply,
)
