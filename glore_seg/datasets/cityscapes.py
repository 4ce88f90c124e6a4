"""Check a Cityscapes folder and say what is missing in it and how to mend it."""

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
    """What a check has found.

    Attributes:
        counts: By split, the number of ``images``, ``polygons``, ``labelIds`` and
            ``labelTrainIds``.
        problems: What is wrong, each with its mend; empty where all is well.
        without_train_ids: Number of polygon files whose ``labelTrainIds`` is yet to be made.
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


def check_cityscapes(root: str | Path, *, partial: bool = False) -> CityscapesReport:
    """Check that a folder is Cityscapes, whole and well arranged.

    Every image of ``train`` and ``val`` must have its label and every label its image. The
    ground truth of ``test`` may be absent.

    Args:
        root: The folder that should hold ``leftImg8bit`` and ``gtFine``.
        partial: Whether any number of images will do, as for another dataset in the same
            layout; otherwise the counts must be those of Cityscapes.

    Returns:
        The counts and the problems.
    """
    root = Path(root)
    report = CityscapesReport()
    if not root.is_dir():
        report.problems.append(
            f"{root} is missing: make it, or link your copy: ln -s /path/to/cityscapes {root}"
        )
        return report
    absent = [folder for folder in _ARCHIVES if not (root / folder).is_dir()]
    if absent:
        report.problems += [_absent(root, folder) for folder in absent]
        return report
    for split, expected in CITYSCAPES_COUNTS.items():
        _check_split(root, split, None if partial else expected, report)
    if not sum(counts["images"] for counts in report.counts.values()):
        report.problems.append(
            f"no *{_IMAGE} in {root / 'leftImg8bit'}/{{train,val,test}}/CITY: unpack "
            f"{_ARCHIVES['leftImg8bit']} in {root}"
        )
    return report


def _absent(root: Path, folder: str) -> str:
    archive = _ARCHIVES[folder]
    for packed in (root / archive, root.parent / archive):
        if packed.is_file():
            return f"{root / folder} is missing, {packed} still packed: unzip -q {packed} -d {root}"
    for inner in sorted(root.glob(f"*/{folder}")):
        return f"{inner} lies a folder too deep: mv {inner} {root}/"
    return (
        f"{root / folder} is missing: download {archive} from {_DOWNLOADS} (registration needed) "
        f"and unpack it in {root}"
    )


def _stems(folder: Path, suffix: str) -> set[str]:
    """Return CITY/NAME of all files that end in a suffix."""
    return {
        f"{path.parent.name}/{path.name[: -len(suffix)]}"
        for path in folder.glob(f"*/[!.]*{suffix}")
    }


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")


def _check_split(root: Path, split: str, expected: int | None, report: CityscapesReport) -> None:
    images = _stems(root / "leftImg8bit" / split, _IMAGE)
    labels = {kind: _stems(root / "gtFine" / split, suffix) for kind, suffix in _LABELS.items()}
    found = {"images": len(images), **{kind: len(names) for kind, names in labels.items()}}
    report.counts[split] = found
    report.without_train_ids += len(labels["polygons"] - labels["labelTrainIds"])

    if expected is not None and len(images) != expected:
        report.problems.append(
            f"{split}: {len(images)} images, expected {expected}: unpack "
            f"{_ARCHIVES['leftImg8bit']} again, or give --partial for another dataset"
        )
    labelled = set().union(*labels.values())
    if split != "test" and images - labelled:
        alone = images - labelled
        report.problems.append(
            f"{split}: {len(alone)} of {len(images)} images have no label in gtFine: unpack "
            f"{_ARCHIVES['gtFine']} again ({_some(alone)})"
        )
    if labelled - images:
        alone = labelled - images
        report.problems.append(
            f"{split}: {len(alone)} of {len(labelled)} labels have no image in leftImg8bit: "
            f"unpack {_ARCHIVES['leftImg8bit']} again ({_some(alone)})"
        )
