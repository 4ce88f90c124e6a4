"""Convert label maps of other formats to one channel of 8 bits, as training reads them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from glore_seg.datasets.label_checks import PNG_DEPTH
from glore_seg.errors import ConfigError, DataError
from glore_seg.utils.files import check_free
from glore_seg.utils.image_io import decode_image, read_bytes, read_header, write_png
from glore_seg.utils.progress import track


def parse_mapping(texts: Sequence[str]) -> dict[tuple[int, ...], int]:
    """Read ``OLD=NEW``, such as ``255=1``, or ``R,G,B=NEW``; a ConfigError names anything else."""
    mapping = {}
    for text in texts:
        old, _, new = text.partition("=")
        try:
            value = tuple(map(int, old.split(",")))
            if len(value) not in (1, 3) or not 0 <= int(new) <= 255:
                raise ValueError("NEW is 0 to 255")
        except ValueError as error:
            raise ConfigError(f"--map {text!r} ({error}); expected OLD=NEW or R,G,B=NEW") from error
        mapping[value] = int(new)
    return mapping


def convert_labels(
    src: str | Path,
    out: str | Path,
    mapping: Mapping[tuple[int, ...], int],
    *,
    suffix: str = ".png",
    overwrite: bool = False,
    progress: bool = True,
) -> int:
    """Write the label maps ``*suffix`` in and below a folder as PNG with one channel of 8 bits.

    A palette image gives its indices, gray of 1, 2 or 4 bits its values as stored, equal channels
    one of them; alpha is dropped. ``mapping`` has new values of gray values, which stay without,
    and of all colors. ``overwrite`` replaces files in ``out``. Returns the number of label maps.

    Raises:
        DataError: There are none, or one holds a color or a value above 255 without new value.
        ConfigError: ``out`` is ``src``.
        OutputError: A file in ``out`` exists and ``overwrite`` is off.
    """
    src, out = Path(src), Path(out)
    if out.resolve() == src.resolve():
        raise ConfigError(f"{out} holds the label maps; expected another folder to write to")
    files = sorted(src.rglob(f"[!.]*{suffix}"))
    if not files:
        raise DataError(f"no *{suffix} in {src} or below: correct the folder, or give --suffix")
    targets = {file: (out / file.relative_to(src)).with_suffix(".png") for file in files}
    for target in targets.values():
        check_free(target, overwrite=overwrite)
    for file in track(files, len(files), "labels", show=progress):
        stored = read_stored(file)
        channels = stored.shape[2]
        numbers = stored @ np.array([65536, 256, 1])[-channels:]  # (H, W)
        values, positions = np.unique(numbers, return_inverse=True)
        old = [(v,) if channels == 1 else (v >> 16, v >> 8 & 255, v & 255) for v in values.tolist()]
        new = [mapping.get(key, key[0] if channels == 1 else -1) for key in old]
        wrong = [key for key, value in zip(old, new, strict=True) if not 0 <= value <= 255]
        if wrong:
            raise DataError(f"{file} holds {wrong[:8]}; expected 0 to 255, or a --map for each")
        label = np.array(new, np.uint8)[positions].reshape(numbers.shape)
        write_png(targets[file], label)
    return len(files)


def read_stored(file: Path) -> np.ndarray:
    """Values of a label map as stored: (H, W, 1), or (H, W, 3) of colors in RGB."""
    data, name = read_bytes(file), str(file)
    header = read_header(data, name=name)
    label = decode_image(data, name=name, as_stored=True, backend="pillow").astype(np.int64)
    label = np.atleast_3d(label)
    if header.format == "PNG" and header.mode == "L" and data[PNG_DEPTH] < 8:  # scaled to 255
        label //= 255 // (2 ** data[PNG_DEPTH] - 1)
    label = label[..., :3] if label.shape[2] > 2 else label[..., :1]
    return label[..., :1] if (label == label[..., :1]).all() else label
