"""Parameters and MACs of Table 3's networks at Cityscapes' size, computed by hand."""

import json
from pathlib import Path

import pytest

CONFIG = str(Path(__file__).parents[2] / "configs" / "fcn_r50_glore_cityscapes.py")
C, N, S = 512, 64, 128
L = 1024 // 8 * 2048 // 8
UNIT_PARAMS = (C * S + S) + (C * N + N) + (N * N + N) + S * S + S * C + 2 * C
UNIT_PARTS = {"conv_state": C * S * L, "conv_proj": C * N * L, "gcn": N * N * S + S * S * N}
UNIT_PARTS["conv_extend"] = S * C * L
UNIT_MACS = sum(UNIT_PARTS.values()) + 2 * S * N * L  # Eq. 1 and Eq. 4 are products of no module


@pytest.mark.slow
def test_parameters_of_the_units(load_tool, capsys):
    found = []
    for units in range(3):
        cfg_options = ["--cfg-options", f"model.decode_head.num_units={units}"]
        load_tool("get_flops")([CONFIG, "--shape", "64", "--json", *cfg_options])
        counts = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (counts["config"], counts["shape"]) == (CONFIG, [64, 64])
        found.append(counts["params"])
    assert [one - found[0] for one in found] == [0, UNIT_PARAMS, 2 * UNIT_PARAMS]


def test_channels_of_the_config(load_tool, capsys):
    params = []
    for channels in (1, 4):
        options = ["--cfg-options", f"model.backbone.in_channels={channels}"]
        load_tool("get_flops")([CONFIG, "--shape", "64", "--json", *options])
        params.append(json.loads(capsys.readouterr().out.splitlines()[-1])["params"])
    assert params[1] - params[0] == 3 * 32 * 9  # of the stem's first convolution


def test_macs_of_the_unit_at_full_size(load_tool, capsys):
    load_tool("get_flops")([CONFIG, "--shape", "1024", "2048", "--json"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["macs_by_module"]
    unit = "decode_head.units.0"
    assert {part: found[f"{unit}.{part}"] for part in UNIT_PARTS} == UNIT_PARTS
    assert found[unit] == UNIT_MACS
    assert found["decode_head"] - found["decode_head.units"] == L * (
        2048 * C * 9 + C * C * 9 + C * 19
    )


@pytest.mark.slow
def test_depth_lists_deeper_modules(load_tool, capsys):
    lines = {}
    for depth in ("1", "3"):
        load_tool("get_flops")([CONFIG, "--shape", "64", "128", "--depth", depth])
        lines[depth] = capsys.readouterr().out
    assert "64 x 128" in lines["1"]
    assert "35.521 M" in lines["1"]
    assert "decode_head.units.0" not in lines["1"]
    gigas = (C * S + C * N + 2 * S * N + S * C) * 8 * 16 + UNIT_PARTS["gcn"]
    row = next(line.split() for line in lines["3"].splitlines() if "units.0 " in line)
    assert row == ["decode_head.units.0", f"{gigas / 1e9:.3f}", "G"]


def test_videos(load_tool, capsys):
    pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")
    config = str(Path(CONFIG).parent / "video" / "r50_glore_kinetics400.py")
    load_tool("get_flops")([config, "--json"])
    counts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert counts["shape"] == [8, 224, 224]
    assert counts["params"] == 33_731_952
    assert round(counts["macs"] / 1e9, 3) == 31.776
    assert counts["macs_by_module"]["cls_head"] == 2048 * 400


@pytest.mark.parametrize("shape", [["0"], ["1", "2", "3", "4"]])
def test_refuses_a_shape(shape, load_tool, capsys):
    with pytest.raises(SystemExit):
        load_tool("get_flops")(["c.py", "--shape", *shape])
    assert "--shape takes one to three positive numbers" in capsys.readouterr().err
