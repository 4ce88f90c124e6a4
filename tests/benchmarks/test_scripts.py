"""The benchmarks run, and their rows say what was measured."""

import json

import pytest
import torch

from benchmarks import context_modules, gpu, unit
from glore_seg.errors import GloReSegError

TINY = unit.Shape("tiny", 2, 16, 4, 8, (6, 7))


@pytest.mark.parametrize("channels_last", [False, True])
def test_both_units_compute_the_same(channels_last):
    for shape in (TINY, TINY._replace(sizes=(2, 5, 7), normalize=False)):
        released, ours, x = unit.make(shape, channels_last=channels_last)
        for module in (released, ours):
            module.train()
        torch.testing.assert_close(ours(x), released(x), rtol=1e-4, atol=1e-4)


def test_unit_table_and_growth(tmp_path, monkeypatch):
    monkeypatch.setattr(unit, "SHAPES", (TINY,))
    written, image = tmp_path / "unit.json", tmp_path / "unit.png"
    options = ["--rounds", "3", "--max-seconds", "0.1", "--largest", "1024"]
    unit.main([*options, "--json", str(written), "--plot", str(image)])
    tables = json.loads(written.read_text())["tables"]
    assert [row["format"] for row in tables["The unit"]] == ["NCHW", "channels-last"]
    row = tables["Growth with size"][0]
    assert row["positions"] == 1024
    # state, projection and extension on maps, and Eq. 1, 2 and 4
    macs = 1024 * (512 * 128 * 2 + 512 * 64 + 2 * 64 * 128) + 64 * 128 * (64 + 128)
    assert row["MACs, authors, G"] == macs / 1e9
    assert row["saved, ours, X"] < row["saved, authors, X"]
    assert image.stat().st_size > 1000


@pytest.mark.slow
def test_context_modules(tmp_path, monkeypatch):
    monkeypatch.setattr(context_modules, "SIZES", ((4, 8), (8, 8)))
    monkeypatch.setattr(context_modules, "TABLE", ((8, 8),))
    written, image = tmp_path / "modules.json", tmp_path / "modules.png"
    options = ["--rounds", "3", "--max-seconds", "0.1", "--max-gb", "2e-5"]
    context_modules.main([*options, "--json", str(written), "--plot", str(image)])
    tables = json.loads(written.read_text())["tables"]
    assert [len(rows) for rows in tables.values()] == [8, 8]
    rows = {row["module"]: row for row in tables["Growth with size"]}
    assert rows["GloRe"]["positions"] == 32
    assert rows["criss-cross"]["forward, ms"] > 0
    # theta, phi, g and back with 256 channels, and two products with the attention
    assert rows["non-local"]["MACs, G"] == (32 * 4 * 512 * 256 + 2 * 32**2 * 256) / 1e9
    larger = {row["module"]: row for row in tables["Context modules"]}
    assert larger["non-local"]["forward, ms"].startswith("not run: needs")
    assert image.stat().st_size > 1000


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU it runs for minutes")
def test_gpu_says_what_is_missing(capsys):
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "no GPU found" in capsys.readouterr().err


@pytest.mark.slow
def test_gpu_rehearsal_measures_the_unit_and_the_network(tmp_path):
    written, image = tmp_path / "gpu.json", tmp_path / "gpu.png"
    options = ["--rehearse", "--rounds", "3", "--json", str(written), "--plot", str(image)]
    tables = gpu.main(options)
    assert list(tables) == [
        "The unit on one GPU",
        "Training step, fcn_r18_glore_street-scenes, 2 x 64 x 64",
        "Inference, fcn_r18_glore_street-scenes, 1 x 64 x 128",
    ]
    assert json.loads(written.read_text())["tables"] == tables
    rows = tables["The unit on one GPU"]
    assert len({(row["format"], row["pass"]) for row in rows}) == len(rows) == 4
    assert all(row[f"{name}, eager, ms"] > 0 for row in rows for name in unit.UNITS)
    assert image.stat().st_size > 1000


@pytest.mark.slow
def test_gpu_keeps_the_units_rows_where_the_network_fails(tmp_path, monkeypatch):
    written = tmp_path / "gpu.json"
    monkeypatch.setitem(gpu.model.DEFAULTS["cpu"], "config", "missing.py")
    with pytest.raises(GloReSegError):
        gpu.main(["--rehearse", "--rounds", "3", "--json", str(written)])
    assert list(json.loads(written.read_text())["tables"]) == ["The unit on one GPU"]
