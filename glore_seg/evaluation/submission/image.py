"""Checks of one predicted image, and the report that all checks of a submission write to.

A submission holds label ids, 0 to 33, of which 19 are evaluated. A network predicts train ids, 0 to
18. These are label ids too, so the server accepts them and scores them near zero.
"""

import io
import warnings
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from cityscapesscripts.helpers.labels import labels
from PIL import Image

_NAMES = {label.id: label.name for label in labels if label.id >= 0}
_LAST = max(_NAMES)
_EVALUATED = frozenset(label.id for label in labels if not label.ignoreInEval)
_NUM_TRAIN_IDS = len(_EVALUATED)
_MIN_TRAIN_ID_SHARE = 0.1  # of pixels whose id is not evaluated
_MAX_LISTED = 4


@dataclass(frozen=True)
class Finding:
    """One error or warning.

    Args:
        kind: ``"archive"``, ``"corrupted"``, ``"duplicate"``, ``"extra"``, ``"missing"``,
            ``"mode"``, ``"name"``, ``"size"``, ``"train ids"``, ``"unknown ids"`` or ``"unsafe"``;
            of warnings ``"dataset"``, ``"not evaluated"`` or ``"palette"``.
        name: The file, as the archive or the file system names it.
        message: What was found, what was expected and the fix.
    """

    kind: str
    name: str
    message: str

    def __str__(self) -> str:
        """One line; a name that a terminal cannot print is escaped."""
        name = self.name if self.name.isprintable() and self.name else repr(self.name)
        return f"{name}: {self.message}"


@dataclass
class SubmissionReport:
    """All findings of a check.

    Attributes:
        expected: Number of images that a submission needs.
        checked: Number of images that were found and read.
        errors: What the server would refuse or score wrongly.
        warnings: What the server accepts, but deserves a look.
    """

    expected: int
    checked: int = 0
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def error(self, kind: str, name: str, message: str) -> None:
        """Add an error; arguments as for :class:`Finding`."""
        self.errors.append(Finding(kind, name, message))

    def warn(self, kind: str, name: str, message: str) -> None:
        """Add a warning; arguments as for :class:`Finding`."""
        self.warnings.append(Finding(kind, name, message))

    def lines(self) -> list[str]:
        """A line for each error, one for each kind of warning, and a summary."""
        lines = [f"error: {error}" for error in self.errors]
        first = {warning.kind: warning for warning in reversed(self.warnings)}
        counts = Counter(warning.kind for warning in self.warnings)
        for kind, count in counts.items():
            more = f" (and {count - 1} more)" if count > 1 else ""
            lines.append(f"warning: {first[kind]}{more}")
        if not self.errors:
            return [*lines, f"no errors in {self.checked} images"]
        kinds = sorted(Counter(error.kind for error in self.errors).items())
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds)
        number = f"{len(self.errors)} error{'s' if len(self.errors) > 1 else ''}"
        return [*lines, f"{number} ({listed}); {self.checked} of {self.expected} images read"]


def check_image(
    report: SubmissionReport, name: str, data: bytes, size: tuple[int, int]
) -> np.ndarray | None:
    """Check an image of label ids: a complete PNG, one channel of 8 bits, its size, its ids.

    It is not decoded if it is not of ``size``, (width, height). Returns the label ids, (H, W),
    uint8, or None if there is an error, which ``report`` gets.
    """
    before = len(report.errors)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if not check_size(report, name, image.size, size):
                    return None
                image.verify()  # checksums
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                pixels, mode = np.asarray(image), image.mode
                transparent, palette = "transparency" in image.info, image.getpalette() or []
    except Exception as error:  # Pillow raises exceptions of many classes for corrupted files
        report.error("corrupted", name, f"{error}; expected a complete PNG")
        return None
    colors = np.array(palette, dtype=int).reshape(-1, 3)
    colored = mode == "P" and bool((colors != np.arange(len(colors))[:, None]).any())
    if mode not in ("L", "P") or transparent or colored:
        what = "a palette of colors" if colored else f"mode {mode}{' and alpha' * transparent}"
        message = f"has {what}; expected one gray channel of 8 bits: save the ids as uint8"
        report.error("mode", name, message)
    elif mode == "P":
        message = "has a palette that maps each id to its gray value, as mmseg writes it: accepted"
        report.warn("palette", name, message)
    if pixels.dtype == np.uint8 and pixels.ndim == 2:
        check_ids(report, name, pixels)
    return pixels if len(report.errors) == before else None


def check_size(
    report: SubmissionReport, name: str, found: tuple[int, int], size: tuple[int, int]
) -> bool:
    """Compare a (width, height) with the expected one."""
    if found != size:
        shapes = [f"{width} x {height}" for width, height in (found, size)]
        message = f"is {shapes[0]} (width x height); expected {shapes[1]}: predict at full size"
        report.error("size", name, message)
    return found == size


def check_ids(report: SubmissionReport, name: str, label_ids: np.ndarray) -> None:
    """Check the ids of an image, (H, W), uint8.

    Train ids are recognized by this: no pixel has an id of 19 to 33, which sky, cars, people and
    most vegetation and poles have, and at least a tenth of the pixels has an id of 0 to 18 that is
    not evaluated. Predicted label ids have none of these.
    """
    counts = np.bincount(label_ids.ravel())
    present = np.flatnonzero(counts).tolist()
    unknown = [i for i in present if i not in _NAMES]
    ignored = [i for i in present if i in _NAMES and i not in _EVALUATED]
    share = int(counts[ignored].sum()) / label_ids.size
    if share >= _MIN_TRAIN_ID_SHARE and not counts[_NUM_TRAIN_IDS : _LAST + 1].any():
        message = (
            f"seems to hold train ids: no id of {_NUM_TRAIN_IDS} to {_LAST}, and {share:.0%} "
            f"of the pixels have ids that are not evaluated ({_listed(ignored)}); expected label "
            "ids: 7 for road, 8 for sidewalk, 11 for building and so on"
        )
        report.error("train ids", name, message)
    elif ignored:
        message = (
            f"{share:.2%} of the pixels have ids that are not evaluated ({_listed(ignored)}) and "
            "count as wrong where the ground truth has a class"
        )
        report.warn("not evaluated", name, message)
    if unknown:
        message = f"holds {_listed(unknown)}, which Cityscapes does not have"
        report.error("unknown ids", name, f"{message}; expected label ids of 0 to {_LAST}")


def _listed(ids: list[int]) -> str:
    shown = ", ".join(f"{i} {_NAMES[i]}" if i in _NAMES else str(i) for i in ids[:_MAX_LISTED])
    return shown + (f" and {len(ids) - _MAX_LISTED} more" if len(ids) > _MAX_LISTED else "")
