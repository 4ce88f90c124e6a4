"""The output and the exit code of the command."""

import pytest

from glore_seg.errors import DataError
from tests.evaluation.submission.conftest import KEYS, LABEL_IDS, encode, good_files, write_zip


@pytest.fixture
def data_root(tmp_path):
    for key in KEYS:
        path = tmp_path / "data/leftImg8bit/test" / key.split("_")[0] / f"{key}_leftImg8bit.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(LABEL_IDS))
    return tmp_path / "data"


def test_lists_errors_and_ends_with_1(load_tool, data_root, tmp_path, capsys):
    main = load_tool("check_submission")
    path = write_zip(tmp_path / "results.zip", good_files())
    assert main([str(path), "--data-root", str(data_root), "--quiet"]) == 0
    assert capsys.readouterr().out.strip() == "no errors in 3 images"
    write_zip(path, {**good_files(), "notes.txt": b"", f"{KEYS[1]}.png": b""})
    assert main([str(path), "--data-root", str(data_root), "--quiet"]) == 1
    *errors, summary = capsys.readouterr().out.strip().splitlines()
    assert [line.split(": ")[:2] for line in errors] == [
        ["error", f"{KEYS[1]}.png"],
        ["error", "notes.txt"],
    ]
    assert summary == "2 errors (1 corrupted, 1 extra); 3 of 3 images read"


def test_rejects_missing_files(load_tool, data_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main = load_tool("check_submission")
    with pytest.raises(DataError, match="data/cityscapes/leftImg8bit/test"):
        main(["results.zip"])
    with pytest.raises(DataError, match=r"none\.zip"):
        main(["none.zip", "--data-root", str(data_root)])
