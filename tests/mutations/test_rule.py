"""What breaks the rule is noticed, a hang and a crash by the command's own process."""

import json

import pytest

pytest.importorskip("hypothesis", reason="pip install 'glore_seg[dev]'")

from benchmarks.mutations import Readings, keep, read_again
from tests.mutations.misbehaving import READERS, VERDICTS
from tests.mutations.rule import RESULT, Reader, judge


# the second hangs, the third ends its process
@pytest.mark.parametrize("reader", [READERS[0], *READERS[3:]], ids=lambda reader: reader.name)
def test_verdicts(reader):
    assert judge(reader, {"a.txt": b"a"}).startswith(VERDICTS[reader.read])


@pytest.mark.slow
def test_hangs_and_crashes_are_ended_counted_and_kept(tmp_path):
    readings = Readings(2.0, tmp_path, "tests.mutations.misbehaving")
    try:
        for index in range(3):
            assert list(readings.of(index, 1, 0)) == [VERDICTS[READERS[index].read]]
    finally:
        readings.end()
    kept = sorted(tmp_path.rglob("verdict.json"))
    assert [json.loads(file.read_text())["reader"] for file in kept] == [
        READERS[1].name,
        READERS[2].name,
    ]
    assert (kept[0].parent / "files" / "a.txt").read_bytes() == b"a"


def test_what_was_kept_is_read_again(tmp_path):
    reader = Reader("last_checkpoint", READERS[0].draw, READERS[0].read)
    keep(tmp_path, reader, {"last_checkpoint": b"iter_4.pth", "b/c": b""}, "nonsense: x")
    assert read_again(tmp_path / "last_checkpoint_000") == RESULT
