"""One process at a time writes to a pack."""

import subprocess
import sys

import pytest

from glore_seg.datasets import pack_dataset, verify_pack
from glore_seg.datasets.packed import INDEX, PIXELS
from glore_seg.datasets.packed.lock import LOCK
from glore_seg.errors import GloReSegError

HOLD = """
import sys, time
from glore_seg.datasets.packed import record
from glore_seg.datasets.packed import writer

def slow(*arguments):
    print("at work", flush=True)
    time.sleep(60)

writer.pack_one = slow
writer.pack_dataset(sys.argv[1], sys.argv[2], num_workers=int(sys.argv[3]), progress=False)
"""


@pytest.fixture(params=[1, 2])
def holder(request, few_scenes, tmp_path):
    """Another process at work on tmp_path / "pack", with one or two workers."""
    command = [sys.executable, "-c", HOLD, str(few_scenes), str(tmp_path / "pack")]
    process = subprocess.Popen([*command, str(request.param)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "at work\n"
    yield process
    process.kill()
    process.stdout.close()
    process.wait()


def test_one_process_at_a_time_packs(few_scenes, tmp_path, holder):
    pack = tmp_path / "pack"
    begun = (pack / INDEX).read_bytes()
    with pytest.raises(GloReSegError, match=r"another process is packing into .*pack: wait"):
        pack_dataset(few_scenes, pack, progress=False)
    assert (pack / INDEX).read_bytes() == begun
    holder.kill()
    holder.communicate(timeout=20)  # ends with the last of its workers, as does the lock
    assert pack_dataset(few_scenes, pack, progress=False) == (4, 0)
    assert verify_pack(pack, progress=False) == []


def test_a_lock_alone_is_a_pack_that_was_begun(few_scenes, tmp_path):
    (tmp_path / "pack").mkdir()
    for name in (LOCK, PIXELS, "notes.txt"):
        (tmp_path / "pack" / name).touch()
    with pytest.raises(GloReSegError, match="holds files that are no pack"):
        pack_dataset(few_scenes, tmp_path / "pack", progress=False)
    (tmp_path / "pack" / "notes.txt").unlink()
    assert pack_dataset(few_scenes, tmp_path / "pack", progress=False) == (4, 0)


def test_a_folder_of_something_else_gets_no_lock(few_scenes, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / PIXELS).touch()
    with pytest.raises(GloReSegError, match="holds files that are no pack"):
        pack_dataset(few_scenes, tmp_path / "mine", progress=False)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [PIXELS]
