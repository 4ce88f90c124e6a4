"""The command: what it prints and how it ends."""

import pytest

from glore_seg.errors import GloReSegError
from tests.evaluation.submission.conftest import KEYS, LABEL_IDS, encode, good_files, write_zip


@pytest.fixture
def data_root(tmp_path):
    for key in KEYS:
        path = tmp_path / "data/leftImg8bit/test" / key.split("_")[0] / f"{key}_leftImg8bit.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(LABEL_IDS))
    return tmp_path / "data"


def test_a_submission_with_and_without_faults(load_tool, data_root, tmp_path, capsys):
    main = load_tool("check_submission")
    path = write_zip(tmp_path / "results.zip", good_files())
    assert main([str(path), "--data-root", str(data_root), "--quiet"]) == 0
    assert capsys.readouterr().out == "no fault in 3 images\n"
    write_zip(path, {**good_files(), "notes.txt": b"", f"{KEYS[1]}.png": b""})
    assert main([str(path), "--data-root", str(data_root), "--quiet"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"fault: {KEYS[1]}.png: is empty; expected a whole PNG: write it again",
        "fault: notes.txt: is no predicted image: remove it",
        "2 faults (1 damaged, 1 extra); 3 of 3 images read",
    ]


def test_without_the_data_set(load_tool, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = write_zip(tmp_path / "results.zip", {})
    main = load_tool("check_submission")
    assert main([str(path), "--quiet"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "data/cityscapes/leftImg8bit/test is missing: only cities and counts of the test split are "
        "compared"
    )
    assert lines[-1] == "6 faults (6 missing); 0 of 1525 images read"
    with pytest.raises(
        FileNotFoundError, match=r"no \*_leftImg8bit\.png in data/cityscapes/leftImg8bit/val"
    ):
        main([str(path), "--split", "val"])
    with pytest.raises(GloReSegError, match=r"no \*_leftImg8bit\.png in elsewhere"):
        main([str(path), "--data-root", "elsewhere"])
    with pytest.raises(GloReSegError, match=r"none\.zip does not exist; expected a zip or a"):
        main(["none.zip"])
