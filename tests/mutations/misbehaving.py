"""Readers that break the rule in every way, to see that it is noticed."""

import contextlib
import os
import pickle
import socket
import subprocess
import time
from pathlib import Path

from glore_seg.errors import DataError
from tests.mutations.rule import Nonsense, Reader


def _behave(folder):
    Path("made").write_text(Path("a.txt").read_text())


def _hang(folder):
    time.sleep(60)


def _die(folder):
    os._exit(3)


def _fail(folder):
    {}["key"]


def _talk_nonsense(folder):
    raise Nonsense("2 is no class")


def _write(folder):
    (folder.parent / "canary").write_text("")


def _make_and_remove(folder):
    (folder.parent / "canary").mkdir()
    (folder.parent / "canary").rmdir()


def _connect(folder):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


def _name_its_file(folder):
    raise DataError("a.txt is corrupted")


def _name_no_file(folder):
    raise DataError("the file is corrupted")


def _exit(folder):
    raise SystemExit(2)


def _recurse(folder):
    _recurse(folder)


VERDICTS = {
    _behave: "result",
    _hang: "hang: not done after 2 s",
    _die: "crash: the process ended with 3",
    _fail: "error",  # as upstream does
    _name_its_file: "error",
    _name_no_file: "an error that names none of a.txt: the file is corrupted",
    _talk_nonsense: "nonsense: 2 is no class",
    _write: "wrote outside the given folder: ['canary']",
    _make_and_remove: "did what no reader does: os.mkdir",
    (lambda folder: subprocess.run(["true"], check=True)): "did what no reader does: subprocess",
    (lambda folder: pickle.loads(pickle.dumps(print))): "did what no reader does: pickle.find",
    _connect: "did what no reader does: socket.",
    _exit: "ended the process: 2",
    _recurse: "too much for the process: RecursionError",
    (lambda folder: bytearray(1 << 40)): "too much for the process: MemoryError",
}
READERS = tuple(
    Reader(f"{i} {verdict}", lambda rng: {"a.txt": b"a"}, read)
    for i, (read, verdict) in enumerate(VERDICTS.items())
)
