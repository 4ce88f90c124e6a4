"""Make the ``labelTrainIds`` images that training reads, from the polygons of Cityscapes."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from glore_seg.errors import DataError
from glore_seg.utils.files import atomic_write
from glore_seg.utils.progress import track

_POLYGONS = "_polygons.json"
_TRAIN_IDS = "_labelTrainIds.png"


def make_train_ids(
    root: str | Path, *, num_workers: int = 1, progress: bool = True
) -> tuple[int, int]:
    """Draw ``*_gtFine_labelTrainIds.png`` beside each ``*_gtFine_polygons.json``.

    cityscapesScripts draws them. Those that exist are left alone, so that an interrupted run goes
    on where it stopped.

    Args:
        root: Folder with ``gtFine``.
        num_workers: Processes at work, at least 1.
        progress: Whether to show a bar with the time left.

    Returns:
        The number of images made and of those that were there.

    Raises:
        DataError: If ``gtFine`` holds no polygons.
        DataError: If ``num_workers`` is less than 1 or a polygon file can't be drawn.
    """
    if num_workers < 1:
        raise DataError(f"num_workers is {num_workers}; expected at least 1")
    sources = sorted((Path(root) / "gtFine").glob(f"*/*/[!.]*_gtFine{_POLYGONS}"))
    if not sources:
        raise DataError(
            f"no gtFine/SPLIT/CITY/*_gtFine{_POLYGONS} in {root}: unpack gtFine_trainvaltest.zip "
            "there"
        )
    todo = [source for source in sources if not _target(source).is_file()]
    if num_workers == 1 or len(todo) < 2:
        for source in track(todo, len(todo), "labelTrainIds", show=progress):
            draw_train_ids(source)
    else:
        with ProcessPoolExecutor(num_workers) as pool:
            done = pool.map(draw_train_ids, todo, chunksize=8)
            for _ in track(done, len(todo), "labelTrainIds", show=progress):
                pass
    return len(todo), len(sources) - len(todo)


def draw_train_ids(source: Path) -> None:
    """Draw the ``labelTrainIds`` image of one polygon file.

    Args:
        source: The ``*_gtFine_polygons.json``.

    Raises:
        DataError: If it can't be read or drawn.
    """
    from cityscapesscripts.helpers.annotation import Annotation
    from cityscapesscripts.preparation.json2labelImg import createLabelImage

    annotation = Annotation()
    try:
        annotation.fromJsonText(source.read_text())
        image = createLabelImage(annotation, "trainIds")
    except SystemExit as error:  # how cityscapesScripts refuses a label that it doesn't know
        raise DataError(f"{source} has a label that cityscapesScripts doesn't know") from error
    except Exception as error:  # which checks nothing that it reads
        raise DataError(
            f"{source} is no polygon file of Cityscapes: {error!r}; unpack gtFine_trainvaltest.zip "
            "again"
        ) from error
    if not min(image.size):
        raise DataError(
            f"{source} is of an image of {image.width} x {image.height} pixels; expected one "
            "or more: unpack gtFine_trainvaltest.zip again"
        )
    with atomic_write(_target(source)) as aside:
        image.save(aside)


def _target(source: Path) -> Path:
    return source.with_name(source.name.removesuffix(_POLYGONS) + _TRAIN_IDS)
