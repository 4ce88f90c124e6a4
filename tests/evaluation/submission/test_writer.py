"""What is written is whole, the same each time, and of one submission alone."""

import os
import random
import signal
import stat
import time
import zipfile

import numpy as np
import pytest

from glore_seg.errors import GloReSegError
from glore_seg.evaluation import label_id_table
from glore_seg.evaluation.submission import SubmissionWriter
from glore_seg.evaluation.submission.archive import pack
from glore_seg.evaluation.submission.png import encode
from tests.evaluation.submission.conftest import KEYS, LABEL_IDS, expected

MANIFEST = {"checkpoint": "abc", "split": "test"}


def make(folder, manifest=MANIFEST):
    return SubmissionWriter(folder, expected(), manifest)


def write_all(writer, out):
    """What a run does, but for the network."""
    writer.begin()
    for index, key in enumerate(KEYS):
        if not writer.is_done(key):
            writer.write(key, np.roll(LABEL_IDS, index))
    return writer.finish(out, progress=False)


def test_a_whole_run(tmp_path):
    report = write_all(make(tmp_path / "work"), tmp_path / "results.zip")
    assert report.lines() == ["no fault in 3 images"]
    with zipfile.ZipFile(tmp_path / "results.zip") as archive:
        assert archive.namelist() == [f"{key}_labelIds.png" for key in KEYS]
        assert archive.read(f"{KEYS[1]}_labelIds.png") == encode(np.roll(LABEL_IDS, 1))
    names = {path.name for path in (tmp_path / "work").rglob("*")}
    assert names == {"submission.json", "images", *(f"{key}_labelIds.png" for key in KEYS)}


def test_archives_are_the_same_whatever_order_and_times(tmp_path):
    paths = [tmp_path / name for name in ("b.png", "a.png")]
    for path in paths:
        path.write_bytes(path.name.encode())
    pack(paths, tmp_path / "one.zip")
    for path in paths:
        os.utime(path, (10**9, 10**9))
        path.chmod(0o600)
    pack(paths[::-1], tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        first = archive.infolist()[0]
    assert (first.filename, first.date_time, first.compress_type) == (
        "a.png", (1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED,
    )  # fmt: skip
    assert first.external_attr >> 16 == stat.S_IFREG | 0o644


def test_killed_at_random_moments_it_ends_the_same(tmp_path):
    """Processes that share everything with a run but the network, killed twenty times."""
    write_all(make(tmp_path / "undisturbed"), tmp_path / "undisturbed.zip")
    wanted = (tmp_path / "undisturbed.zip").read_bytes()
    out = tmp_path / "results.zip"
    chance = random.Random(0)
    start = time.monotonic()
    write_all(make(tmp_path / "timed"), tmp_path / "timed.zip")
    duration = time.monotonic() - start
    killed = 0
    while killed < 20:
        child = os.fork()
        if not child:
            status = 1
            try:
                write_all(make(tmp_path / "work"), out)
                status = 0
            finally:
                os._exit(status)
        time.sleep(chance.uniform(0, duration))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        killed += os.WIFSIGNALED(status)
        if out.exists():
            assert out.read_bytes() == wanted
    write_all(make(tmp_path / "work"), out)
    assert out.read_bytes() == wanted
    left = [path for path in tmp_path.rglob("*") if "unfinished" in path.name]
    assert left == []


def test_images_of_other_settings_are_not_mixed_in(tmp_path):
    make(tmp_path / "work").begin()
    make(tmp_path / "work").begin()
    message = r"work was begun otherwise: checkpoint was 'abc' and is 'def'\. Go on with the"
    other = make(tmp_path / "work", {**MANIFEST, "checkpoint": "def"})
    with pytest.raises(GloReSegError, match=message):
        other.begin()
    with pytest.raises(GloReSegError, match=r"remove the folder \(--overwrite replaces the zip"):
        other.compare()
    with pytest.raises(GloReSegError, match=r"otherwise: ids was not noted; split has changed\."):
        make(tmp_path / "work", {"checkpoint": "abc", "ids": "7"}).compare()
    hashed = [{**MANIFEST, "checkpoint": digit * 64} for digit in "12"]
    make(tmp_path / "hashed", hashed[0]).begin()
    with pytest.raises(GloReSegError, match=r"begun otherwise: checkpoint has changed\. Go on"):
        make(tmp_path / "hashed", hashed[1]).begin()
    (tmp_path / "work" / "submission.json").write_text("{")
    with pytest.raises(GloReSegError, match=r"submission\.json can't be read .*: remove"):
        make(tmp_path / "work").begin()


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(GloReSegError, match=r"holds files but no submission\.json"):
        make(tmp_path).begin()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_images_that_the_checker_would_refuse(tmp_path):
    writer = make(tmp_path / "work")
    with pytest.raises(ValueError, match=f"{KEYS[0]}: is 8 x 8 .width x height.; expected 16 x 8"):
        writer.write(KEYS[0], LABEL_IDS[:, :8])
    with pytest.raises(ValueError, match="holds 255, which Cityscapes doesn't have"):
        writer.write(KEYS[0], np.full((8, 16), 255, np.uint8))
    assert not writer.is_done(KEYS[0])


def test_faults_keep_the_archive_from_its_name(tmp_path):
    writer = make(tmp_path / "work")
    write_all(writer, tmp_path / "results.zip")
    before = (tmp_path / "results.zip").read_bytes()
    (tmp_path / "work" / "images" / f"{KEYS[0]}_labelIds.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"is not written: .*\nfault: berlin.*is empty.*\n1 fault"):
        writer.finish(tmp_path / "results.zip", progress=False)
    assert (tmp_path / "results.zip").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_label_ids_of_classes():
    assert label_id_table(["road", "bicycle", "sky"]).tolist() == [7, 33, 23]
    with pytest.raises(ValueError, match="classes 'tree', 'caravan' are none that Cityscapes eval"):
        label_id_table(["road", "tree", "caravan"])
