"""Submissions are atomic, reproducible, and of one set of settings."""

import os
import stat
import zipfile

import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import DataError, OutputError
from glore_seg.evaluation.submission import SubmissionWriter, check_submission
from glore_seg.evaluation.submission.archive import pack
from tests.evaluation.submission.conftest import KEYS, LABEL_IDS, expected

MANIFEST = {"checkpoint": "abc", "split": "test"}


def make(folder, manifest=MANIFEST):
    return SubmissionWriter(folder, expected(), manifest)


def write_all(writer, out):
    """What a run does, without the network."""
    writer.begin()
    for index, key in enumerate(KEYS):
        if not writer.is_done(key):
            writer.write(key, np.roll(LABEL_IDS, index))
    return writer.finish(out)


def test_writes_a_submission_that_the_checker_accepts(tmp_path):
    report = write_all(make(tmp_path / "work"), tmp_path / "results.zip")
    assert report.lines() == ["no errors in 3 images"]
    seen = {}
    found = check_submission(
        tmp_path / "results.zip", expected(), on_image=seen.__setitem__, progress=False
    )
    assert (found.errors, found.warnings) == ([], [])
    assert np.array_equal(seen[KEYS[1]], np.roll(LABEL_IDS, 1))
    with zipfile.ZipFile(tmp_path / "results.zip") as archive:
        assert archive.namelist() == [f"{key}_labelIds.png" for key in KEYS]
        with archive.open(archive.namelist()[0]) as file, Image.open(file) as image:
            assert image.mode == "L"
    names = {path.name for path in (tmp_path / "work").rglob("*")}
    assert names == {"submission.json", "images", *(f"{key}_labelIds.png" for key in KEYS)}


def test_archives_do_not_depend_on_order_and_times(tmp_path):
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
    assert (first.filename, first.date_time) == ("a.png", (1980, 1, 1, 0, 0, 0))
    assert first.external_attr >> 16 == stat.S_IFREG | 0o644


def test_does_not_mix_images_of_other_settings(tmp_path):
    make(tmp_path / "work").begin()
    make(tmp_path / "work").begin()
    other = make(tmp_path / "work", {**MANIFEST, "checkpoint": "def"})
    for check in (other.begin, other.compare):
        with pytest.raises(OutputError, match=r"checkpoint \(abc before, def now\)"):
            check()
    with pytest.raises(OutputError, match=r"ids \(None before, 7 now\), split"):
        make(tmp_path / "work", {"checkpoint": "abc", "ids": "7"}).compare()
    for text in ("{", "[1]"):
        (tmp_path / "work" / "submission.json").write_text(text)
        with pytest.raises(OutputError, match=r"submission\.json"):
            make(tmp_path / "work").begin()


def test_leaves_folders_with_other_files_alone(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(OutputError, match=r"submission\.json"):
        make(tmp_path).begin()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_rejects_images_that_the_checker_would_reject(tmp_path):
    writer = make(tmp_path / "work")
    with pytest.raises(DataError, match=f"{KEYS[0]}.*8 x 8.*16 x 8"):
        writer.write(KEYS[0], LABEL_IDS[:, :8])
    with pytest.raises(DataError, match="255"):
        writer.write(KEYS[0], np.full((8, 16), 255, np.uint8))
    assert not writer.is_done(KEYS[0])


def test_does_not_replace_the_zip_by_an_incomplete_one(tmp_path):
    writer = make(tmp_path / "work")
    write_all(writer, tmp_path / "results.zip")
    before = (tmp_path / "results.zip").read_bytes()
    (tmp_path / "work" / "images" / f"{KEYS[0]}_labelIds.png").unlink()
    with pytest.raises(DataError, match=f"1 of 3 images are missing in .*{KEYS[0]}"):
        writer.finish(tmp_path / "results.zip")
    assert (tmp_path / "results.zip").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2
