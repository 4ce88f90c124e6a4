"""Check a Cityscapes folder: what is missing, and how to get it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

CITYSCAPES_COUNTS = {"train": 2975, "val": 500, "test": 1525}
"""Images of the finely annotated Cityscapes, by split."""

_DOWNLOADS = "https://www.cityscapes-dataset.com/downloads/"
_ARCHIVES = {
    "leftImg8bit": "leftImg8bit_trainvaltest.zip",
    "gtFine": "gtFine_trainvaltest.zip",
}
_IMAGE = "_leftImg8bit.png"
_LABELS = {
    "polygons": "_gtFine_polygons.json",
    "labelIds": "_gtFine_labelIds.png",
    "labelTrainIds": "_gtFine_labelTrainIds.png",
}


@dataclass
class CityscapesReport:
    """Result of a check.

    Attributes:
        counts: By split, the number of ``images``, ``polygons``, ``labelIds`` and
            ``labelTrainIds``.
        problems: What is wrong, each with its fix.
        without_train_ids: Number of polygon files without ``labelTrainIds``.
    """

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    without_train_ids: int = 0

    def __str__(self) -> str:
        """Return a table of the counts and the list of problems."""
        kinds = ("images", *_LABELS)
        lines = ["split   " + "".join(f"{kind:>15}" for kind in kinds)]
        for split, counts in self.counts.items():
            lines.append(f"{split:<8}" + "".join(f"{counts[kind]:>15}" for kind in kinds))
        lines += [f"- {problem}" for problem in self.problems]
        return "\n".join(lines)


def check_cityscapes(root: str | Path, *, allow_incomplete: bool = False) -> CityscapesReport:
    """Check that a folder holds all of Cityscapes in its layout.

    Every image of ``train`` and ``val`` must have its label and every label its image. The
    ground truth of ``test`` may be missing.

    Args:
        root: Folder with ``leftImg8bit`` and ``gtFine``.
        allow_incomplete: Whether to accept other counts than those of Cityscapes, as for another
            dataset in its layout.

    Returns:
        The counts and the problems.
    """
    root = Path(root)
    report = CityscapesReport()
    if not root.is_dir():
        report.problems.append(
            f"{root} is missing: create it, or link your copy: ln -s /path/to/cityscapes {root}"
        )
        return report
    missing = [folder for folder in _ARCHIVES if not (root / folder).is_dir()]
    if missing:
        report.problems += [_missing(root, folder) for folder in missing]
        return report
    for split, expected in CITYSCAPES_COUNTS.items():
        _check_split(root, split, None if allow_incomplete else expected, report)
    if not sum(counts["images"] for counts in report.counts.values()):
        report.problems.append(
            f"no *{_IMAGE} in {root / 'leftImg8bit'}/{{train,val,test}}/CITY: unpack "
            f"{_ARCHIVES['leftImg8bit']} in {root}"
        )
    return report


def _missing(root: Path, folder: str) -> str:
    archive = _ARCHIVES[folder]
    for packed in (root / archive, root.parent / archive):
        if packed.is_file():
            return f"{root / folder} is missing: unzip -q {packed} -d {root}"
    for inner in sorted(root.glob(f"*/{folder}")):
        return f"{inner} is one folder too deep: mv {inner} {root}/"
    return (
        f"{root / folder} is missing: download {archive} from {_DOWNLOADS} (registration needed) "
        f"and unpack it in {root}"
    )


def _stems(folder: Path, suffix: str) -> set[str]:
    """Return CITY/NAME of all files with a suffix."""
    return {
        f"{path.parent.name}/{path.name[: -len(suffix)]}"
        for path in folder.glob(f"*/[!.]*{suffix}")
    }


def _check_split(root: Path, split: str, expected: int | None, report: CityscapesReport) -> None:
    images = _stems(root / "leftImg8bit" / split, _IMAGE)
    labels = {kind: _stems(root / "gtFine" / split, suffix) for kind, suffix in _LABELS.items()}
    found = {"images": len(images), **{kind: len(names) for kind, names in labels.items()}}
    report.counts[split] = found
    report.without_train_ids += len(labels["polygons"] - labels["labelTrainIds"])

    if expected is not None and len(images) != expected:
        report.problems.append(
            f"{split}: {len(images)} images, expected {expected}: unpack "
            f"{_ARCHIVES['leftImg8bit']} again, or give --allow-incomplete for another dataset"
        )
    labeled = set().union(*labels.values())
    if split != "test" and images - labeled:
        alone = sorted(images - labeled)
        report.problems.append(
            f"{split}: {len(alone)} of {len(images)} images have no label in gtFine, such as "
            f"{alone[0]}: unpack {_ARCHIVES['gtFine']} again"
        )
    if labeled - images:
        alone = sorted(labeled - images)
        report.problems.append(
            f"{split}: {len(alone)} of {len(labeled)} labels have no image in leftImg8bit, such as "
            f"{alone[0]}: unpack {_ARCHIVES['leftImg8bit']} again"
        )
