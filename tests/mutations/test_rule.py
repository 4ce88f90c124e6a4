"""What breaks the rule is noticed, a hang and a crash by the command's own process."""

import json

import pytest

pytest.importorskip("hypothesis", reason="pip install 'glore_seg[dev]'")

from benchmarks.mutations import Readings, keep, read_again
from glore_seg.utils.image_io import decode_image
from tests.mutations.misbehaving import READERS
from tests.mutations.rule import ERROR, RESULT, Reader, judge

WORDS = {
    "behave": RESULT,
    "nonsense": "nonsense: 2 is no class",
    "write": "wrote outside the given folder: ['canary']",
    "make_and_remove": "did what no reader does: os.mkdir",
    "start": "did what no reader does: subprocess.Popen",
    "unpickle": "did what no reader does: pickle.find_class",
    "connect": "did what no reader does: socket.",
    "fail": ERROR,  # as upstream does
    "name_its_file": ERROR,
    "name_no_file": "an error that names none of a.txt: the file is corrupted",
    "exit": "ended the process: 2",
    "recurse": "too much for the process: RecursionError",
    "take_memory": "too much for the process: MemoryError",
}


IN_THIS_PROCESS = [reader for reader in READERS if reader.name in WORDS]


@pytest.mark.parametrize("reader", IN_THIS_PROCESS, ids=lambda reader: reader.name)
def test_verdicts(reader):
    assert judge(reader, {"a.txt": b"a"}).startswith(WORDS[reader.name])


@pytest.mark.parametrize(("name", "verdict"), [("a.txt", ERROR), ("b.txt", "names none of a.txt")])
def test_an_error_names_its_file(name, verdict):
    reader = Reader("empty", READERS[0].inputs, lambda _: decode_image(b"", name=name))
    assert verdict in judge(reader, {"a.txt": b""})


@pytest.mark.slow
def test_hangs_and_crashes_are_ended_counted_and_kept(tmp_path):
    readings = Readings(2.0, tmp_path, "tests.mutations.misbehaving")
    try:
        assert list(readings.of(0, 1, 0)) == [RESULT]
        assert list(readings.of(1, 1, 0)) == ["hang: not done after 2 s"]
        assert list(readings.of(2, 1, 0)) == ["crash: the process ended with 3"]
    finally:
        readings.end()
    said = sorted(file.read_text() for file in tmp_path.rglob("verdict.json"))
    assert [json.loads(each)["reader"] for each in said] == ["die", "hang"]
    assert (tmp_path / "hang_000" / "files" / "a.txt").read_bytes() == b"a"


def test_what_was_kept_is_read_again(tmp_path):
    reader = Reader("last_checkpoint", READERS[0].inputs, READERS[0].read)
    keep(tmp_path, reader, {"last_checkpoint": b"iter_4.pth", "b/c": b""}, "nonsense: x")
    assert read_again(tmp_path / "last_checkpoint_000") == RESULT
