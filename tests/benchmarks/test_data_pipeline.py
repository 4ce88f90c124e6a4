import json

import pytest

from benchmarks import data_pipeline


@pytest.mark.slow
def test_measures_three_pipelines_and_their_stages(tmp_path):
    out, image = tmp_path / "a.json", tmp_path / "a.png"
    options = ["--size", "64", "128", "--crop", "48", "48", "--images", "2", "--rounds", "3"]
    tables = data_pipeline.main([*options, "--json", str(out), "--plot", str(image)])
    rows, stages = tables.values()
    assert [row["pipeline"] for row in rows] == [
        "mmseg, PNG",
        "glore_seg, PNG",
        "glore_seg, packed",
    ]
    assert rows[0]["speedup"] == 1
    for row in rows:
        assert row["images/s per core"] * row["CPU ms per image"] > 999
    assert [row["transform"] for row in stages if row["pipeline"] == "glore_seg, packed"] == [
        "LoadRandomResizeCropFlip",
        "FastPhotoMetricDistortion",
        "FastPackSegInputs",
    ]
    found = json.loads(out.read_text())
    assert found["machine"]["opencv"]
    assert found["machine"]["threads"] == 1
    assert len(found["tables"]) == 2
    assert image.stat().st_size > 1000
