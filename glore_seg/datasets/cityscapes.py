"""Check a Cityscapes folder, and create the ``labelTrainIds`` images that training reads."""

from dataclasses import dataclass, field
from pathlib import Path

from glore_seg.errors import DataError
from glore_seg.utils.files import atomic_write
from glore_seg.utils.parallel import map_in_processes
from glore_seg.utils.progress import track

CITYSCAPES_COUNTS = {"train": 2975, "val": 500, "test": 1525}
"""Images of the finely annotated Cityscapes, by split."""

_DOWNLOADS = "https://www.cityscapes-dataset.com/downloads/"
_IMAGES, _ANNOTATIONS = "leftImg8bit_trainvaltest.zip", "gtFine_trainvaltest.zip"
_ARCHIVES = {"leftImg8bit": _IMAGES, "gtFine": _ANNOTATIONS}
_IMAGE = "_leftImg8bit.png"
_POLYGONS, _TRAIN_IDS = "polygons.json", "labelTrainIds.png"
_LABELS = {"polygons": _POLYGONS, "labelIds": "labelIds.png", "labelTrainIds": _TRAIN_IDS}
_COARSE = "gtCoarse"


@dataclass
class CityscapesReport:
    """Result of a check: problems, each with its fix, and counts of each kind of file by split."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    without_train_ids: int = 0  # polygon files without labelTrainIds

    def __str__(self) -> str:
        """Return a table of the counts and the list of problems."""
        kinds = ("images", *_LABELS)
        lines = [f"{'split':<20}" + "".join(f"{kind:>15}" for kind in kinds)]
        for split, counts in self.counts.items():
            lines.append(f"{split:<20}" + "".join(f"{counts[kind]:>15}" for kind in kinds))
        lines += [f"- {problem}" for problem in self.problems]
        return "\n".join(lines)


def check_cityscapes(root: str | Path, *, allow_incomplete: bool = False) -> CityscapesReport:
    """Check that a folder holds all of Cityscapes in its layout, and what is there of gtCoarse.

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
        report.problems += [
            f"{root / folder} is missing: download {_ARCHIVES[folder]} from {_DOWNLOADS} "
            f"(registration needed) and unpack it in {root}"
            for folder in missing
        ]
        return report
    for split, expected in CITYSCAPES_COUNTS.items():
        _check_split(root, "gtFine", split, None if allow_incomplete else expected, report)
    for split in _coarse_splits(root):
        _check_split(root, _COARSE, split, None, report)
    if not sum(counts["images"] for counts in report.counts.values()):
        report.problems.append(
            f"no *{_IMAGE} in {root / 'leftImg8bit'}/{{train,val,test}}/CITY: unpack {_IMAGES} in "
            f"{root}"
        )
    return report


def _stems(folder: Path, suffix: str) -> set[str]:
    """Return CITY/NAME of all files with a suffix."""
    return {
        f"{path.parent.name}/{path.name[: -len(suffix)]}"
        for path in folder.glob(f"*/[!.]*{suffix}")
    }


def _coarse_splits(root: Path) -> list[str]:
    """Splits with coarse labels whose images are there."""
    folders = (root / _COARSE, root / "leftImg8bit")
    splits = ("train", "train_extra", "val")
    return [split for split in splits if all((folder / split).is_dir() for folder in folders)]


def _check_split(
    root: Path, annotations: str, split: str, expected: int | None, report: CityscapesReport
) -> None:
    images = _stems(root / "leftImg8bit" / split, _IMAGE)
    labels = {
        kind: _stems(root / annotations / split, f"_{annotations}_{suffix}")
        for kind, suffix in _LABELS.items()
    }
    images_archive = "leftImg8bit_trainextra.zip" if split == "train_extra" else _IMAGES
    is_fine = annotations == "gtFine"
    split = split if is_fine else f"{split}, coarse"
    found = {"images": len(images), **{kind: len(names) for kind, names in labels.items()}}
    report.counts[split] = found
    report.without_train_ids += len(labels["polygons"] - labels["labelTrainIds"])

    if expected is not None and len(images) != expected:
        report.problems.append(
            f"{split}: {len(images)} images, expected {expected}: unpack {_IMAGES} again, or give "
            "--allow-incomplete for another dataset"
        )
    labeled = set().union(*labels.values())
    for some, others, archive in (
        (images if is_fine and split != "test" else set(), labeled, _ANNOTATIONS),
        (labeled, images, images_archive),
    ):
        alone = sorted(some - others)
        if alone:
            kind = "images have no label" if some is images else "labels have no image"
            report.problems.append(
                f"{split}: {len(alone)} of {len(some)} {kind} in {archive.partition('_')[0]}, such "
                f"as {alone[0]}: unpack {archive} again"
            )


def make_train_ids(
    root: str | Path, *, num_workers: int = 1, progress: bool = True
) -> tuple[int, int]:
    """Draw ``*_labelTrainIds.png`` beside each ``*_polygons.json`` of gtFine and gtCoarse.

    cityscapesScripts draws them, in ``num_workers`` processes. Existing ones are kept, so an
    interrupted run resumes.

    Returns:
        The number of images created and the number kept.

    Raises:
        DataError: There are no polygons, or a polygon file cannot be drawn.
        ConfigError: ``num_workers`` is less than 1.
    """
    sources = sorted((Path(root) / "gtFine").glob(f"*/*/[!.]*_gtFine_{_POLYGONS}"))
    for split in _coarse_splits(Path(root)):
        folder = Path(root, _COARSE, split)
        sources += sorted(folder.glob(f"*/[!.]*_{_COARSE}_{_POLYGONS}"))
    if not sources:
        raise DataError(
            f"no gtFine/SPLIT/CITY/*_gtFine_{_POLYGONS} in {root}: unpack {_ANNOTATIONS} there"
        )
    todo = [source for source in sources if not _target(source).is_file()]
    done = map_in_processes(draw_train_ids, todo, num_workers, chunksize=8)
    for _ in track(done, len(todo), "labelTrainIds", show=progress):
        pass
    return len(todo), len(sources) - len(todo)


def draw_train_ids(source: Path) -> None:
    """Draw the image of a ``*_polygons.json``; a DataError says that it cannot be drawn."""
    from cityscapesscripts.helpers.annotation import Annotation
    from cityscapesscripts.preparation.json2labelImg import createLabelImage

    annotation = Annotation()
    try:
        annotation.fromJsonText(source.read_text())
        image = createLabelImage(annotation, "trainIds")
    except SystemExit as error:  # of cityscapesScripts for an unknown label
        raise DataError(f"{source} has a label that cityscapesScripts does not know") from error
    except Exception as error:  # it does not check what it reads
        raise DataError(
            f"{source} is not a polygon file of Cityscapes ({error!r}): unpack its archive again"
        ) from error
    if not min(image.size):
        raise DataError(
            f"{source} declares an image of {image.width} x {image.height} pixels: unpack its "
            "archive again"
        )
    with atomic_write(_target(source)) as temporary:
        image.save(temporary)


def _target(source: Path) -> Path:
    return source.with_name(source.name.removesuffix(_POLYGONS) + _TRAIN_IDS)
