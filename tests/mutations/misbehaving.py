"""Readers that break the rule in every way, to see that it is noticed."""

import contextlib
import os
import pickle
import socket
import subprocess
import time
from pathlib import Path

from hypothesis import strategies as st

from glore_seg.errors import DataError
from tests.mutations.rule import Nonsense, Reader


def _inputs():
    return st.just({"a.txt": b"a"})


def _nonsense(folder):
    raise Nonsense("2 is no class")


def _write(folder):
    (folder.parent / "canary").write_text("")


def _make_and_remove(folder):
    (folder.parent / "canary").mkdir()
    (folder.parent / "canary").rmdir()


def _start(folder):
    subprocess.run(["true"], check=True)


def _unpickle(folder):
    pickle.loads(pickle.dumps(print))


def _connect(folder):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


def _fail(folder):
    {}["key"]


def _name_its_file(folder):
    raise DataError("a.txt is corrupted")


def _name_no_file(folder):
    raise DataError("the file is corrupted")


def _exit(folder):
    raise SystemExit(2)


def _hang(folder):
    time.sleep(60)


def _die(folder):
    os._exit(3)


def _take_memory(folder):
    bytearray(1 << 40)


def _recurse(folder):
    _recurse(folder)


def _behave(folder):
    Path("made").write_text(Path("a.txt").read_text())


READERS = tuple(
    Reader(read.__name__.strip("_"), _inputs, read)
    for read in (
        *(_behave, _hang, _die, _take_memory, _nonsense, _write, _make_and_remove, _start),
        *(_unpickle, _connect, _fail, _name_its_file, _name_no_file, _exit, _recurse),
    )
)
