"""Writes the images of a submission one by one, and resumes after an interrupt."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from glore_seg.errors import DataError, OutputError
from glore_seg.evaluation.label_ids import write_label_map
from glore_seg.evaluation.submission.archive import pack
from glore_seg.evaluation.submission.checker import report_of
from glore_seg.evaluation.submission.expected import ExpectedImages
from glore_seg.evaluation.submission.image import SubmissionReport, check_ids, check_size
from glore_seg.utils.files import atomic_write, remove_unfinished

MANIFEST = "submission.json"
"""File with the settings that the images in the folder were predicted with."""


class SubmissionWriter:
    """A folder with ``images/`` and a manifest of the settings that they depend on.

    Images are written atomically, so several processes may write at once and any of them may be
    killed: :meth:`is_done` tells what is left.

    Args:
        folder: Folder for the images, created by :meth:`begin`.
        expected: The images to write.
        manifest: The settings that predictions depend on, by name.
    """

    def __init__(
        self, folder: str | Path, expected: ExpectedImages, manifest: Mapping[str, str]
    ) -> None:
        self.folder = Path(folder)
        self._expected = expected
        self._manifest = dict(manifest)

    def begin(self) -> None:
        """Create the folder, or check its content; one process calls it before any other writes.

        Raises:
            OutputError: The folder holds something else, or images of other settings.
        """
        path = self.folder / MANIFEST
        if path.is_file():
            self.compare()
        elif self.folder.exists() and any(self.folder.glob("[!.]*")):
            raise OutputError(
                f"{self.folder} holds files but no {MANIFEST}, so it is not the folder of a "
                "submission: give another --work-dir"
            )
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(self._manifest, indent=2) + "\n")
        for folder in (self.folder, self.folder / "images"):
            remove_unfinished(folder)

    def compare(self) -> None:
        """Raise an OutputError if images in the folder were predicted with other settings."""
        path = self.folder / MANIFEST
        try:
            found = dict(json.loads(path.read_text()))
        except (TypeError, ValueError) as error:
            raise OutputError(
                f"{path} cannot be read ({error}): remove {self.folder}, or give another --work-dir"
            ) from error
        differing = [
            f"{key} ({found.get(key)!s:.40} before, {self._manifest.get(key)!s:.40} now)"
            for key in dict.fromkeys([*self._manifest, *found])
            if found.get(key) != self._manifest.get(key)
        ]
        if differing:
            raise OutputError(
                f"{self.folder} holds images of other settings: {', '.join(differing)}. Use the "
                "same settings, give another --work-dir, or remove the folder (--overwrite "
                "replaces only the zip)"
            )

    def is_done(self, key: str) -> bool:
        """Whether an image was written."""
        return self._path(key).is_file()

    def write(self, key: str, label_ids: np.ndarray) -> None:
        """Check label ids, (H, W), uint8, and write them as the image ``CITY_SEQUENCE_FRAME``.

        Raises:
            DataError: The size is not the image's, or ids are not label ids.
        """
        report, (height, width) = SubmissionReport(1), label_ids.shape
        if check_size(report, key, (width, height), self._expected.sizes[key]):
            check_ids(report, key, label_ids)
        if report.errors:
            raise DataError("; ".join(map(str, report.errors)))
        write_label_map(self._path(key), label_ids)

    def finish(self, out: str | Path) -> SubmissionReport:
        """Pack the images; the zip appears, or replaces an existing one, only if it is complete.

        Raises:
            DataError: An image is missing.
        """
        out, keys = Path(out), self._expected.sizes
        missing = [key for key in keys if not self.is_done(key)]
        if missing:
            raise DataError(
                f"{out} is not written: {len(missing)} of {len(keys)} images are missing in "
                f"{self.folder / 'images'}, such as {missing[0]}: repeat the command"
            )
        remove_unfinished(out.parent)
        with atomic_write(out) as temporary:
            pack(map(self._path, keys), temporary)
        report = report_of(self._expected)
        report.checked = len(keys)
        return report

    def _path(self, key: str) -> Path:
        return self.folder / "images" / f"{key}_labelIds.png"
