"""A command that is killed and started again, and how to watch it."""

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SAID = "stderr.txt"
"""Name of the file in a run's folder that tells what its last process said."""
CONFIG = REPOSITORY / "configs" / "fcn_r18_glore_street-scenes.py"


class Work(ABC):
    """One tool at work.

    Args:
        folder: For what all of its runs read; made here.
        size: How much there is to do: iterations or images.
    """

    name: str
    size: int
    """Takes some 10 s on one core, several times as long as a kill's moment is uncertain by."""

    def __init__(self, folder: Path, size: int | None = None) -> None:
        self.folder = folder
        self.size = size or type(self).size
        folder.mkdir(parents=True)
        self.prepare()

    def start(self, place: Path) -> subprocess.Popen:
        """Start it as a user would, first or again; ``place`` is the folder of one run."""
        place.mkdir(parents=True, exist_ok=True)
        with (place / SAID).open("wb") as said:  # a pipe that nobody reads would fill up
            return subprocess.Popen(  # noqa: S603  the command is ours
                [sys.executable, *map(str, self.command(place))],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    @abstractmethod
    def prepare(self) -> None:
        """Make what all runs read."""

    @abstractmethod
    def command(self, place: Path) -> list[object]:
        """The command line behind ``python``."""

    @abstractmethod
    def mark(self, place: Path) -> object:
        """Something that changes when a process that was started starts its work."""

    @abstractmethod
    def done(self, place: Path) -> int:
        """So much of ``size`` need not be done again."""

    def watch(self, place: Path) -> None:  # noqa: B027  most have nothing to look at
        """Look at an undisturbed run while it works."""

    @abstractmethod
    def corrupted(self, place: Path, undisturbed: Path) -> Iterator[str]:
        """Files that look valid and are not what the undisturbed run has made."""

    @abstractmethod
    def differences(self, place: Path, undisturbed: Path) -> Iterator[str]:
        """What is not the same at the end."""


def unfinished(place: Path) -> list[str]:
    """Files and folders that are being written, or were when a process was killed."""
    return sorted(str(path) for path in place.rglob(".*unfinished*"))


def other_files(found: Path, wanted: Path, pattern: str) -> Iterator[str]:
    """Files of a folder that another lacks or has with other bytes; hidden ones don't count."""
    for path in sorted(found.glob(pattern)):
        other = wanted / path.relative_to(found)
        if not other.is_file() or path.read_bytes() != other.read_bytes():
            yield str(path)


def same_files(found: Path, wanted: Path, pattern: str) -> Iterator[str]:
    """What differs between two folders: names or bytes."""
    names = [{str(p.relative_to(at)) for p in at.glob(pattern)} for at in (found, wanted)]
    yield from sorted(names[0] ^ names[1])
    yield from other_files(found, wanted, pattern)
