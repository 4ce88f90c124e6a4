import json

from benchmarks import scores


def test_ways_agree_and_are_compared(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(scores, "SIZE", (64, 128))
    scores.main(["--images", "2", "--rounds", "1", "--json", str(tmp_path / "scores.json")])
    (rows,) = json.loads((tmp_path / "scores.json").read_text())["tables"].values()
    assert [row["way"] for row in rows] == [
        "cityscapesScripts",
        "from memory",
        "from files",
        "counting",
    ]
    assert rows[0]["share of cityscapesScripts' time"] == 1
    assert "| from memory |" in capsys.readouterr().out
