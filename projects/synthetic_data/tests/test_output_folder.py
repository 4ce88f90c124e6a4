"""What the three datasets share, tested with videos and street scenes as users make them."""

import json

import pytest

from glore_seg.errors import GloReSegError
from projects.synthetic_data.output_folder import DatasetFolder
from projects.synthetic_data.street_scenes.writer import make_street_scenes, paint


def small(root, **options):
    options = {"num_train": 2, "num_val": 1, "num_test": 1, "size": (32, 64), **options}
    return make_street_scenes(root, progress=False, **options)


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("content", [b"null", b"[1]", b'"a"', b"\xff\xfe", b"{", b"[" * 100_000])
def test_a_marker_of_something_else_is_that_of_other_settings(tmp_path, content):
    (tmp_path / "made.json").write_bytes(content)
    made = DatasetFolder(tmp_path, "made.json", "street scenes", ["leftImg8bit"])
    with pytest.raises(GloReSegError, match="of other settings: None, asked for"):
        made.claim({"seed": 0}, overwrite=False)
    assert (tmp_path / "made.json").read_bytes() == content


def test_a_repeated_call_touches_nothing_and_other_settings_are_refused(tmp_path):
    root = small(tmp_path / "data", num_train=4)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    small(root, num_train=4)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    with pytest.raises(GloReSegError, match=r"other settings.*--overwrite"):
        small(root)
    small(root, overwrite=True)
    assert contents(root) == contents(small(tmp_path / "fresh"))


def test_interrupted_run_goes_on(tmp_path, monkeypatch):
    calls = []

    def stop_at_third(scene, size):
        calls.append(size)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return paint(scene, size)

    monkeypatch.setattr(f"{paint.__module__}.paint", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path / "data")
    assert json.loads((tmp_path / "data" / "street_scenes.json").read_text())["complete"] is False
    small(tmp_path / "data")
    assert len(calls) == 3 + 2  # the two finished ones are not painted again
    assert contents(tmp_path / "data") == contents(small(tmp_path / "whole"))


def test_other_files_are_kept(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(GloReSegError, match="holds files that are no street scenes"):
            small(tmp_path, overwrite=overwrite)
    with pytest.raises(GloReSegError, match="is a file; expected a folder"):
        small(tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "mine"
