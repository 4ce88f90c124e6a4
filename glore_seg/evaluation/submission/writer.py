"""Writes the images of a submission one by one, and goes on where it was interrupted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from glore_seg.errors import DataError, OutputError
from glore_seg.evaluation.submission.archive import pack
from glore_seg.evaluation.submission.checker import check_submission
from glore_seg.evaluation.submission.expected import ExpectedImages
from glore_seg.evaluation.submission.image import check_image
from glore_seg.evaluation.submission.png import encode
from glore_seg.evaluation.submission.report import SubmissionReport
from glore_seg.utils.files import atomic_write, remove_unfinished

MANIFEST = "submission.json"
"""Name of the file that tells what made the images beside it."""

_UNFINISHED = ".unfinished."
_HASH = re.compile("[0-9a-f]{64}")


class SubmissionWriter:
    """A folder with ``images/`` and a manifest that says what they are made by.

    An image has its name only when it is whole, so several processes may write at once and any
    of them may be killed: :meth:`is_done` tells what is left.

    Args:
        folder: Where the images go. Made by :meth:`begin`.
        expected: The images to make.
        manifest: What the predictions depend on: name of a setting to its value. Images of
            other values are not mixed in.
    """

    def __init__(
        self, folder: str | Path, expected: ExpectedImages, manifest: Mapping[str, str]
    ) -> None:
        self.folder = Path(folder)
        self._expected = expected
        self._manifest = dict(manifest)

    def begin(self) -> None:
        """Make the folder, or make sure that what it holds belongs to this submission.

        Called by one process before any other writes.

        Raises:
            OutputError: It holds something else, or images made by other settings.
        """
        path = self.folder / MANIFEST
        if path.is_file():
            self.compare()
        elif self.folder.exists() and any(_UNFINISHED not in p.name for p in self.folder.iterdir()):
            raise OutputError(
                f"{self.folder} holds files but no {MANIFEST}, so it is no folder of a submission: "
                "give another --work-dir"
            )
        with atomic_write(path) as aside:
            aside.write_text(json.dumps(self._manifest, indent=2) + "\n")
        for folder in (self.folder, self.folder / "images"):
            remove_unfinished(folder)

    def compare(self) -> None:
        """Make sure that the images in the folder are made by this writer's settings.

        Raises:
            OutputError: They are not; the message names what differs.
        """
        path = self.folder / MANIFEST
        try:
            found = json.loads(path.read_text())
        except ValueError as error:
            raise OutputError(
                f"{path} can't be read ({error}): remove {self.folder}, or give another --work-dir"
            ) from error
        if found == self._manifest:
            return
        if not isinstance(found, dict):
            found = {}
        differing = [
            _difference(key, found.get(key), self._manifest.get(key))
            for key in dict.fromkeys([*self._manifest, *found])
            if found.get(key) != self._manifest.get(key)
        ]
        raise OutputError(
            f"{self.folder} was begun otherwise: {'; '.join(differing)}. Go on with the settings "
            "that began it, give another --work-dir, or remove the folder (--overwrite replaces "
            "the zip alone)"
        )

    def is_done(self, key: str) -> bool:
        """Whether an image is there."""
        return self._path(key).is_file()

    def write(self, key: str, label_ids: np.ndarray) -> None:
        """Check an image and write it.

        Args:
            key: ``CITY_SEQUENCE_FRAME``.
            label_ids: Shape (H, W), uint8.

        Raises:
            DataError: The checker would refuse it.
        """
        data = encode(label_ids)
        checked = check_image(key, data, self._expected.size(key))
        if checked.faults:
            raise DataError("; ".join(map(str, checked.faults)))
        with atomic_write(self._path(key)) as aside:
            aside.write_bytes(data)

    def finish(self, out: str | Path, *, progress: bool = True) -> SubmissionReport:
        """Pack the images, check the archive, and only then give it its name.

        Args:
            out: The zip. An existing one is replaced.
            progress: Whether to show a bar with the time left.

        Returns:
            The report of the check, without faults.

        Raises:
            DataError: The check has found faults.
        """
        out = Path(out)
        remove_unfinished(out.parent)
        with atomic_write(out) as aside:
            pack((self.folder / "images").glob("[!.]*"), aside)
            report = check_submission(aside, self._expected, progress=progress)
            if report.faults:
                lines = "\n".join(report.lines())
                raise DataError(
                    f"{out} is not written: in {self.folder / 'images'} the check has found\n"
                    f"{lines}\nRemove the images that are at fault and repeat the command"
                )
        return report

    def _path(self, key: str) -> Path:
        return self.folder / "images" / f"{key}_labelIds.png"


def _difference(key: str, before: object, now: object) -> str:
    """What has changed; a hash would tell nothing."""
    if isinstance(before, str) and isinstance(now, str) and not _HASH.fullmatch(now):
        return f"{key} was {before!r} and is {now!r}"
    return f"{key} has changed" if before is not None else f"{key} was not noted"
