import json

from benchmarks import feed


def test_measures_three_pipelines_and_their_stages(tmp_path):
    out, image = tmp_path / "feed.json", tmp_path / "feed.png"
    options = ["--size", "64", "128", "--crop", "48", "48", "--images", "2", "--rounds", "3"]
    tables = feed.main([*options, "--json", str(out), "--plot", str(image)])
    rows, stages = tables.values()
    assert [row["pipeline"] for row in rows] == [
        "mmseg, files",
        "glore_seg, files",
        "glore_seg, pack",
    ]
    assert rows[0]["times mmseg's"] == 1
    for row in rows:
        assert row["images a second and core"] * row["CPU ms an image"] > 999
    assert [row["transform"] for row in stages if row["pipeline"] == "glore_seg, pack"] == [
        "LoadRandomResizeCropFlip",
        "FastPhotoMetricDistortion",
        "FastPackSegInputs",
    ]
    found = json.loads(out.read_text())
    assert found["machine"]["opencv"]
    assert found["machine"]["threads"] == 1
    assert len(found["tables"]) == 2
    assert image.stat().st_size > 1000
