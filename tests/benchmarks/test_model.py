import json

import pytest

from benchmarks import model


@pytest.mark.slow
def test_measures_training_and_inference_in_all_settings(tmp_path):
    out, image = tmp_path / "model.json", tmp_path / "model.png"
    options = ["--train-size", "64", "64", "--test-size", "64", "128", "--rounds", "3"]
    tables = model.main([*options, "--json", str(out), "--plot", str(image)])
    assert list(tables) == [
        "Training step, fcn_r18_glore_street-scenes, 2 x 64 x 64",
        "Inference, fcn_r18_glore_street-scenes, 1 x 64 x 128",
    ]
    for rows in tables.values():
        assert [row["settings"] for row in rows] == list(model.settings(False))
        assert rows[0]["times stock"] == 1
        assert all(row["ms"] > 0 for row in rows)
    assert json.loads(out.read_text())["tables"] == tables
    assert image.stat().st_size > 1000
