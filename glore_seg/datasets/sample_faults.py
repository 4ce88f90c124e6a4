"""What went wrong with a sample of a dataset, as one line: its file, or a step of the pipeline."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any, NamedTuple

import cv2
from mmcv.transforms import BaseTransform
from mmcv.transforms import Compose as TransformsOfMmcv
from mmengine.dataset import Compose
from PIL import Image

from glore_seg.documented_errors import is_documented, is_installed, place_of

# What decoders alone raise for a file that is damaged or missing, SyntaxError Pillow's of a PNG.
DECODING = (
    *(OSError, EOFError, cv2.error, zlib.error, struct.error),
    *(SyntaxError, Image.DecompressionBombError),
)
# What readers raise for it.
DAMAGE = (*DECODING, ValueError, AssertionError)
_PATHS = ("img_path", "filename", "frame_dir", "seg_map_path")
_READERS = re.compile("Load|Read|Decode|Init$")  # LoadImageFromFile, PyAVInit, RawFrameDecode
_COMPOSED = (Compose, TransformsOfMmcv)


class SampleError(ValueError):
    """A sample that cannot be had, with its file, or the step of the pipeline, and the mend.

    A DataLoader raises what a worker raised with the worker's traceback for a text; of that the
    last line is kept, which is this error's own.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text.rsplit(f"{type(self).__name__}: ", 1)[-1].strip())


class SampleFault(NamedTuple):
    """What went wrong with a sample.

    Args:
        path: Its file.
        text: What to say of it, the file included.
        is_damage: Whether the file is at fault, so that another can take its place; else the
            pipeline may be.
        is_own: Whether code had a part in it that is not installed: the user's.
    """

    path: str
    text: str
    is_damage: bool
    is_own: bool


@contextmanager
def sample_faults(part: str, info: Callable[[], Mapping[str, Any]]) -> Iterator[None]:
    """Turn what is raised while a sample is loaded into a SampleError.

    What came out of code that is not installed passes as it is: whoever writes a transform needs
    the traceback of their mistake.

    Args:
        part: What of the config loads, such as ``"val_dataloader.dataset.pipeline"``.
        info: Gives what the dataset knows of the sample; asked where the pipeline doesn't tell.

    Raises:
        SampleError: The sample cannot be had.
    """
    try:
        yield
    except Exception as error:  # what damage and wrong settings lead to cannot be foreseen
        fault = fault_of(error, part, info)
        if fault is None or fault.is_own:
            raise
        mend = ". No sample is left out here: get the file again" if fault.is_damage else ""
        raise SampleError(f"{fault.text}{mend}") from error


def fault_of(
    error: Exception, part: str, info: Callable[[], Mapping[str, Any]]
) -> SampleFault | None:
    """Tell a damaged file from a pipeline that doesn't fit.

    A file is damaged where a transform that reads, by its name, raised what readers raise, or the
    dataset itself what decoders do. In the user's own code any transform may read, so there all
    such errors are taken for damage.

    Args:
        error: With its traceback.
        part: What of the config loads.
        info: Gives what the dataset knows of the sample.

    Returns:
        None for what is neither the file's fault nor the pipeline's, such as too little memory, or
        the death of another loader's worker, which torch raises anywhere; and for mistakes of the
        user's own code.
    """
    if isinstance(error, MemoryError) or "DataLoader worker" in str(error):
        return None
    step, found, is_own = _failing_step(error)
    info_of = found or info()
    name = type(step).__name__
    is_label = "Annotation" in name and info_of.get("seg_map_path")
    path = str(info_of["seg_map_path"]) if is_label else path_in(info_of)
    could_be_damage = isinstance(error, DAMAGE)
    said = _said(error)
    if is_own and not could_be_damage:
        return None
    if isinstance(error, ImportError) or (step is None and not is_own and is_documented(error)):
        return SampleFault(path, said, is_damage=False, is_own=is_own)
    is_reader = isinstance(error, DECODING) if step is None else _READERS.search(name)
    if could_be_damage and (is_own or is_reader):
        # A transform of the user's may be at fault, not the file.
        if is_own or not str(error):
            said = f"{said}, at {place_of(error)}"
        is_named = any(str(info_of.get(key) or path) in said for key in _PATHS)
        is_told = is_named and isinstance(error, ValueError)
        text = said if is_told else f"{path} cannot be read ({said})"
        return SampleFault(path, text, is_damage=True, is_own=is_own)
    where = f"{name} of {part}" if step is not None else part
    text = (
        f"{where} fails on {path} ({said}; at {place_of(error)}); expected settings that fit "
        "the data: correct the config, or get the file again where it alone fails"
    )
    return SampleFault(path, text, is_damage=False, is_own=False)


def path_in(info: Mapping[str, Any]) -> str:
    """The file of a sample, by what its dataset or its pipeline knows of it; else empty."""
    return next((str(info[key]) for key in _PATHS if info.get(key)), "")


def _failing_step(error: Exception) -> tuple[Any, Mapping[str, Any], bool]:
    """The innermost transform at work, what it was given, and whether it is the user's own."""
    step: Any = None
    given: Mapping[str, Any] = {}
    is_own = False
    for frame, _ in walk_tb(error.__traceback__):
        known = frame.f_locals
        owner = known.get("self")
        if isinstance(owner, _COMPOSED):
            step, is_own = known.get("t"), False
            results = known.get("data", known.get("results"))
            if isinstance(results, dict) and path_in(results):
                given = results
        elif isinstance(owner, BaseTransform):
            step = owner
        if not is_installed(frame.f_code.co_filename):
            is_own = True
    return step, given, is_own


def _said(error: Exception) -> str:
    text, kind = str(error).strip(), type(error).__name__
    if not text:
        return kind
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return text if isinstance(error, ValueError) else f"{kind}: {text}"
