"""A file of a submission, whether it lies in a zip or in a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glore_seg.errors import DataError
from glore_seg.evaluation.submission.report import Finding


class ReadError(DataError):
    """The bytes of a file can't be had; the message says why."""


@dataclass(frozen=True)
class Entry:
    """A file of a submission, which is read when it is asked for, and never copied to the disk.

    Args:
        name: Its path within the submission, with ``/`` between folders.
        fault: Why it may not be read, or None.
        read: Gives its bytes, or raises ReadError.
    """

    name: str
    fault: Finding | None
    read: Callable[[], bytes]
