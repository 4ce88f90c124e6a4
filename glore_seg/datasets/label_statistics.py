"""Count the labels of a dataset before training, and find what would train on wrong classes."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmseg.datasets.transforms import LoadAnnotations

from glore_seg.datasets.label_checks import CONVERT_COMMAND, LabelFormat, require_one_channel
from glore_seg.datasets.transforms.loading import LoadCheckedAnnotations
from glore_seg.errors import CorruptedFileError, OutputError
from glore_seg.evaluation.class_balance import IGNORED, ClassBalance, count_classes
from glore_seg.utils.files import atomic_write
from glore_seg.utils.image_io import decode_image, read_bytes
from glore_seg.utils.progress import track

_MOST = 2000  # label maps counted in search of a second class
_SHOWN = 8  # names in a message
_KNOWN = {"mmcv", "mmseg", "glore_seg"}  # whose transforms keep the classes of a label map


@dataclass(frozen=True)
class LabelStatistics:
    """Pixels of the classes as trained and of the stored values, (256,), of a sample of ``total``.

    ``reduces``: whether 0 is stored for pixels without class. ``lossy``: a label map in JPEG.
    """

    balance: ClassBalance
    stored: np.ndarray
    total: int
    reduces: bool
    lossy: str | None


def count_labels(
    dataset: Any,
    classes: Sequence[str],
    *,
    ignored: Iterable[int] = (),
    sample: int | None = 200,
    cache: Path | None = None,
) -> LabelStatistics | None:
    """Count a random sample of the label maps of a dataset, the same at each call.

    The training's random numbers stay. Until two classes are found, up to 2,000 label maps are
    read. Corrupted files are left to the data loader.

    Args:
        dataset: A dataset of mmseg, or a wrapper of such datasets.
        classes: Names of the classes that labels become; a single one is told from "no" class.
        ignored: Classes that the loss ignores, besides 255 and the loading transform's.
        sample: Number of label maps; None counts all, with a progress bar.
        cache: JSON file that keeps the counts of each file by path, size and time of last change.

    Returns:
        The counts; None without label maps, or with transforms that are neither OpenMMLab's nor
        this package's, which may change classes.

    Raises:
        DataError: A label map has another format, or a value that is neither class nor ignored.
    """
    names = [f"no {classes[0]}", *classes] if len(classes) == 1 else classes
    parts = [(part, find_label_loader(part)) for part in wrapped_datasets(dataset)]
    if any(loader is None for _, loader in parts):
        return None
    ends = np.cumsum([len(part) for part, _ in parts])
    total = int(ends[-1])
    known: dict[str, list[list[int]]] = {}
    with suppress(OSError, ValueError):
        known = json.loads(cache.read_bytes()) if cache else {}
    before, stored, reduces, lossy = len(known), np.zeros(256, np.int64), False, None
    trained: dict[str, np.ndarray] = {}
    seen = {IGNORED}
    order = np.random.default_rng(0).permutation(total)
    for position in track(order, total, "labels", show=sample is None):
        if sample and len(trained) >= sample and (len(seen) > 2 or len(trained) >= _MOST):
            break
        index = int(np.searchsorted(ends, position, side="right"))
        part, loader = parts[index]
        info = part.get_data_info(int(position - (ends[index] - len(part))))
        path = info.get("seg_map_path")
        if path is None:
            return None
        with suppress(CorruptedFileError):
            values = _count_values(path, loader, info, known)
            reduced = bool(info.get("reduce_zero_label"))
            table = LabelFormat(255, 255, info.get("label_map"), reduced).class_table()
            table = np.arange(256) if table is None else table
            none = [*ignored, getattr(loader, "ignore_index", IGNORED)]
            table = np.where(np.isin(table, none), IGNORED, table)
            trained[path] = np.bincount(table, values, 256).astype(np.int64)
            seen.update(np.flatnonzero(trained[path]).tolist())
            stored += values
            reduces |= reduced
            lossy = path if path.lower().endswith((".jpg", ".jpeg")) else lossy
    if cache and len(known) > before:
        with suppress(OutputError), atomic_write(cache) as temporary:
            temporary.write_text(json.dumps(known))
    return LabelStatistics(count_classes(trained, names), stored, total, reduces, lossy)


def find_problems(found: LabelStatistics, split: str) -> tuple[str | None, list[str]]:
    """Judge the labels of a split, such as ``"training"``.

    Returns:
        Why nothing can be learned from them, which is certain, or None; and warnings.
    """
    balance, stored, pixels = found.balance, found.stored, int(found.stored.sum())
    if not pixels:
        return None, []
    names, number, values = balance.classes, balance.num_images, np.flatnonzero(stored).tolist()
    complete = number == found.total
    maps = f"all {number}" if complete else f"a sample of {number} of {found.total}"
    maps += f" label maps of {split}"
    hold = f"{maps} hold {_some([f'{value} ({stored[value] / pixels:.1%})' for value in values])}"
    index = 1 if len(names) == 2 else "INDEX"
    convert = f"convert them with `{CONVERT_COMMAND} --map 255={index}`"
    useless = None
    if values == [0, IGNORED] and len(names) == 2 and not found.reduces:
        useless = f"{hold}, and 255 means 'ignored'. If 255 is {names[-1]!r}, {convert}"
    elif not balance.pixels.any():
        useless = f"{hold}, and all of them are ignored. Correct reduce_zero_label, label_map or "
        useless += f"ignore_index; if 255 is a class, {convert}"
    if useless:
        return (useless, []) if complete else (None, [useless])
    warnings = []
    if found.reduces and stored[0] == stored[:IGNORED].max():
        warnings.append(
            f"{hold}, and reduce_zero_label ignores 0, the most frequent, and reads 1 as "
            f"{names[0]!r}. If 0 is {names[0]!r}, leave reduce_zero_label out"
        )
    absent = [name for name, count in zip(names, balance.pixels, strict=True) if not count]
    if absent:
        warnings.append(
            f"{maps} have no pixel of {_some(absent)}, and {balance.ignored / pixels:.1%} of their "
            "pixels are ignored. What has no pixel is not learned: correct the classes, "
            "ignore_index, reduce_zero_label or the label maps"
            + ("" if complete else "; tools/analysis/class_balance.py counts all")
        )
    if found.lossy:
        warnings.append(f"{found.lossy}: JPEG changes class indices at edges; store PNG")
    return None, warnings


def wrapped_datasets(dataset: Any) -> Iterator[Any]:
    """Yield the datasets in wrappers such as ``ConcatDataset`` and ``RepeatDataset``."""
    inner = getattr(dataset, "datasets", None) or [getattr(dataset, "dataset", None)]
    if isinstance(dataset, BaseDataset) or inner == [None]:
        inner = []
        yield dataset
    for each in inner:
        yield from wrapped_datasets(each)


def find_label_loader(dataset: Any) -> Any:
    """Return the transform that loads label maps; None if others may change their classes."""
    transforms = getattr(getattr(dataset, "pipeline", None), "transforms", ())
    modules = {type(transform).__module__.partition(".")[0] for transform in transforms}
    steps = (getattr(transform, "label_loader", transform) for transform in transforms)
    loaders = [
        step
        for step in steps
        if isinstance(step, LoadCheckedAnnotations) or type(step) is LoadAnnotations
    ]
    is_known = isinstance(dataset, BaseDataset) and modules <= _KNOWN and len(loaders) == 1
    return loaders[0] if is_known else None


def _count_values(
    path: str, loader: Any, info: dict[str, Any], known: dict[str, list[list[int]]]
) -> np.ndarray:
    """Pixels of each stored value of a label map, (256,); ``known`` are those of other calls."""
    key = None  # of a missing file, or one on a remote backend
    with suppress(OSError):
        status = Path(path).stat()
        key = f"{path}|{status.st_size}|{status.st_mtime_ns}|{type(loader).__name__}"
    if key in known:
        values, numbers = known[key]
        return np.bincount(values, numbers, 256).astype(np.int64)
    if isinstance(loader, LoadCheckedAnnotations):
        label = loader.read(info)
    else:  # as mmseg
        data = read_bytes(path, backend_args=loader.backend_args)
        label = decode_image(data, name=path, as_stored=True, backend=loader.imdecode_backend)
        label = label.squeeze().astype(np.uint8)
        require_one_channel(label, path)
    counts = np.bincount(label.ravel(), minlength=256)
    if key is not None:
        known[key] = [np.flatnonzero(counts).tolist(), counts[counts > 0].tolist()]
    return counts


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
