"""The rule: a result or an exception, and nothing done outside the given folder.

A :class:`glore_seg.errors.GloReSegError` names the file. Other exceptions are upstream's and
allowed, but for those of too much memory or depth and for the end of the process.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from glore_seg.cli import one_line
from glore_seg.errors import GloReSegError
from tests.mutations.mutate import Files

RESULT, ERROR = "result", "error"


class Nonsense(AssertionError):
    """A reader's result that it should not have given."""


def expect(condition: object, *found: object) -> None:
    """Raise :class:`Nonsense` with what was found unless a condition holds."""
    if not condition:
        raise Nonsense(" ".join(map(str, found)))


@dataclass(frozen=True)
class Reader:
    """Something that reads what others give.

    Args:
        name: What it reads.
        draw: Gives a mutated input.
        read: Reads from a folder that holds the files of an input; raises :class:`Nonsense` for a
            result that is none.
        words: An error of ours names one of these; default: one of the files.
        share: How many inputs it gets beside others.
        allowed: Events of the audit that are no breach here.
        warm: Called once before the first input, for imports that take long.
    """

    name: str
    draw: Callable[[Random], Files]
    read: Callable[[Path], object]
    words: tuple[str, ...] = ()
    share: float = 1.0
    allowed: tuple[str, ...] = ()
    warm: Callable[[], object] | None = None

    def input(self, seed: int, number: int) -> Files:
        """What it draws, the same for the same seed and number."""
        return self.draw(Random(f"{seed} {number}"))


def judge(reader: Reader, files: Files) -> str:
    """Let a reader read an input, and return ``RESULT``, ``ERROR`` or what breaks the rule."""
    with tempfile.TemporaryDirectory(prefix="mutation_") as around:
        folder = Path(around) / "given"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        own = Path(around) / "tmp"
        own.mkdir()
        with _watching(reader.allowed, folder, own) as deeds, _within(folder, own):
            verdict = _verdict(reader, files, folder)
        strangers = sorted(p.name for p in Path(around).iterdir() if p not in (folder, own))
    if strangers:
        return f"wrote outside the given folder: {strangers}"
    return f"did what no reader does: {deeds[0]}" if deeds else verdict


def _verdict(reader: Reader, files: Files, folder: Path) -> str:
    try:
        reader.read(folder)
    except Nonsense as error:
        return f"nonsense: {error}"
    except (MemoryError, RecursionError) as error:
        return f"too much for the process: {type(error).__name__}"
    except SystemExit as error:
        return f"ended the process: {error.code!r}"
    except GloReSegError as error:
        words = reader.words or tuple(Path(name).name for name in files)
        if not any(word in str(error) for word in words):
            return f"an error that names none of {', '.join(words)[:200]}: {one_line(error)[:300]}"
        return ERROR
    except Exception:
        return ERROR
    return RESULT


_WRITES = {"os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.truncate"}
_FORBIDDEN = (
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.kill", "pty.spawn"),
    *("subprocess.Popen", "socket.connect", "socket.bind", "socket.getaddrinfo", "urllib.Request"),
    *("webbrowser.open", "ctypes.dlopen", "shutil.rmtree", "shutil.unpack_archive"),
    "pickle.find_class",  # a pickle that is read freely; the restricted readers do not ask it
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Watch:
    """What is forbidden while a reader reads; the hook that asks it cannot be taken away again."""

    folders: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    deeds: list[str] = []
    installed = False

    @classmethod
    def hook(cls, event: str, args: tuple[Any, ...]) -> None:
        if not cls.folders:
            return
        if event == "open":
            path, _, flags = args
            if isinstance(path, str | bytes) and flags & _WRITING and not cls._inside(path):
                cls.deeds.append(f"open {path!r} to write")
        elif event in _WRITES:
            if isinstance(args[0], str | bytes | os.PathLike) and not cls._inside(args[0]):
                cls.deeds.append(f"{event} {args[0]!r}")
        elif event in cls.allowed:
            return
        elif event in _FORBIDDEN and not (event == "shutil.rmtree" and cls._inside(args[0])):
            cls.deeds.append(f"{event} {str(args)[:200]}")

    @classmethod
    def _inside(cls, path: Any) -> bool:
        found = os.path.realpath(os.fsdecode(path))
        # bytecode of what is imported meanwhile
        return f"{found}/".startswith((*cls.folders, "/dev/")) or "__pycache__" in found


@contextlib.contextmanager
def _watching(allowed: tuple[str, ...], *folders: Path) -> Iterator[list[str]]:
    if not _Watch.installed:
        sys.addaudithook(_Watch.hook)
        _Watch.installed = True
    _Watch.deeds, _Watch.allowed = [], allowed
    _Watch.folders = tuple(f"{os.path.realpath(folder)}/" for folder in folders)
    try:
        yield _Watch.deeds
    finally:
        _Watch.folders = ()


@contextlib.contextmanager
def _within(folder: Path, temporary: Path) -> Iterator[None]:
    before, tempfile.tempdir = (os.getcwd(), tempfile.gettempdir()), str(temporary)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before[0])
        tempfile.tempdir = before[1]
