"""What breaks the rule is noticed, a hang and a crash by the command's own process."""

import contextlib
import json
import os
import pickle
import socket
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.mutations import Readings, keep, read_again
from glore_seg.errors import DataError
from tests.mutations.rule import RESULT, Nonsense, Reader, judge


def _raise(error):
    def read(folder):
        raise error

    return read


def _make_and_remove(folder):
    (folder.parent / "canary").mkdir()
    (folder.parent / "canary").rmdir()


def _connect(folder):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


def _recurse(folder):
    _recurse(folder)


CASES = (
    (lambda folder: Path("made").write_text(Path("a.txt").read_text()), "result"),
    (lambda folder: time.sleep(60), "hang: not done after 2 s"),
    (lambda folder: os._exit(3), "crash: the process ended with 3"),
    (_raise(KeyError("key")), "error"),  # as upstream does
    (_raise(DataError("a.txt is corrupted")), "error"),
    (_raise(DataError("corrupted")), "an error that names none of a.txt: corrupted"),
    (_raise(Nonsense("2 is no class")), "nonsense: 2 is no class"),
    (
        lambda folder: (folder.parent / "canary").write_text(""),
        "wrote outside the given folder: ['canary']",
    ),
    (_make_and_remove, "did what no reader does: os.mkdir"),
    (lambda folder: subprocess.run(["true"], check=True), "did what no reader does: subprocess"),
    (lambda folder: pickle.loads(pickle.dumps(print)), "did what no reader does: pickle.find"),
    (_connect, "did what no reader does: socket."),
    (_raise(SystemExit(2)), "ended the process: 2"),
    (_recurse, "too much for the process: RecursionError"),
    (lambda folder: bytearray(1 << 40), "too much for the process: MemoryError"),
)
READERS = tuple(
    Reader(f"{number} {verdict}", lambda rng: {"a.txt": b"a"}, read)
    for number, (read, verdict) in enumerate(CASES)
)


# the second hangs, the third ends its process
@pytest.mark.parametrize("number", [0, *range(3, len(CASES))], ids=lambda number: CASES[number][1])
def test_verdicts(number):
    assert judge(READERS[number], {"a.txt": b"a"}).startswith(CASES[number][1])


@pytest.mark.slow
def test_hangs_and_crashes_are_ended_counted_and_kept(tmp_path):
    readings = Readings(2.0, tmp_path, "tests.mutations.test_rule")
    try:
        for index in range(3):
            assert list(readings.of(index, 1, 0)) == [CASES[index][1]]
    finally:
        readings.end()
    kept = sorted(tmp_path.rglob("verdict.json"))
    names = [json.loads(file.read_text())["reader"] for file in kept]
    assert names == [READERS[1].name, READERS[2].name]
    assert (kept[0].parent / "files" / "a.txt").read_bytes() == b"a"


def test_what_was_kept_is_read_again(tmp_path):
    reader = Reader("last_checkpoint", READERS[0].draw, READERS[0].read)
    keep(tmp_path, reader, {"last_checkpoint": b"iter_4.pth", "b/c": b""}, "nonsense: x")
    assert read_again(tmp_path / "last_checkpoint_000") == RESULT
