"""Create the ``labelTrainIds`` images that training reads from the polygons of Cityscapes."""

from __future__ import annotations

from pathlib import Path

from glore_seg.errors import DataError
from glore_seg.utils.files import atomic_write
from glore_seg.utils.parallel import map_in_processes
from glore_seg.utils.progress import track

_POLYGONS = "_polygons.json"
_TRAIN_IDS = "_labelTrainIds.png"


def make_train_ids(
    root: str | Path, *, num_workers: int = 1, progress: bool = True
) -> tuple[int, int]:
    """Draw ``*_gtFine_labelTrainIds.png`` beside each ``*_gtFine_polygons.json``.

    cityscapesScripts draws them. Existing ones are kept, so an interrupted run resumes.

    Args:
        root: Folder with ``gtFine``.
        num_workers: Number of processes, at least 1.
        progress: Whether to show a progress bar.

    Returns:
        The number of images created and the number kept.

    Raises:
        DataError: ``gtFine`` has no polygons, or a polygon file cannot be drawn.
        ConfigError: ``num_workers`` is less than 1.
    """
    sources = sorted((Path(root) / "gtFine").glob(f"*/*/[!.]*_gtFine{_POLYGONS}"))
    if not sources:
        raise DataError(
            f"no gtFine/SPLIT/CITY/*_gtFine{_POLYGONS} in {root}: unpack gtFine_trainvaltest.zip "
            "there"
        )
    todo = [source for source in sources if not _target(source).is_file()]
    done = map_in_processes(draw_train_ids, todo, num_workers, chunksize=8)
    for _ in track(done, len(todo), "labelTrainIds", show=progress):
        pass
    return len(todo), len(sources) - len(todo)


def draw_train_ids(source: Path) -> None:
    """Draw the ``labelTrainIds`` image of one polygon file.

    Args:
        source: The ``*_gtFine_polygons.json``.

    Raises:
        DataError: It cannot be read or drawn.
    """
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
            f"{source} is not a polygon file of Cityscapes ({error!r}): unpack "
            "gtFine_trainvaltest.zip again"
        ) from error
    if not min(image.size):
        raise DataError(
            f"{source} declares an image of {image.width} x {image.height} pixels: unpack "
            "gtFine_trainvaltest.zip again"
        )
    with atomic_write(_target(source)) as temporary:
        image.save(temporary)


def _target(source: Path) -> Path:
    return source.with_name(source.name.removesuffix(_POLYGONS) + _TRAIN_IDS)
