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


def conv_norm(cin, cout, size):
    return cin * cout * size**2 + 2 * cout


def resnet50_v1c():
    """Parameters of the backbone: a stem of three 3x3 convolutions and 3, 4, 6, 3 bottlenecks."""
    total = conv_norm(3, 32, 3) + conv_norm(32, 32, 3) + conv_norm(32, 64, 3)
    width = 64
    for planes, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        total += conv_norm(width, 4 * planes, 1)  # the shortcut of the first block
        for _ in range(blocks):
            total += conv_norm(width, planes, 1) + conv_norm(planes, planes, 3)
            total += conv_norm(planes, 4 * planes, 1)
            width = 4 * planes
    return total


@pytest.mark.parametrize("units", [0, 1, 2])
def test_parameters_of_the_network(units, load_tool, capsys):
    options = ["--shape", "64", "--json", "--cfg-options", f"model.decode_head.num_units={units}"]
    load_tool("get_flops")([CONFIG, *options])
    counts = json.loads(capsys.readouterr().out.splitlines()[-1])
    head = conv_norm(2048, C, 3) + conv_norm(C, C, 3) + C * 19 + 19
    assert counts["params"] == resnet50_v1c() + head + units * UNIT_PARAMS
    assert (counts["config"], counts["shape"]) == (CONFIG, [64, 64])


def test_macs_of_the_unit_at_full_size(load_tool, capsys):
    load_tool("get_flops")([CONFIG, "--shape", "1024", "2048", "--json"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["macs_by_module"]
    unit = "decode_head.units.0"
    assert {part: found[f"{unit}.{part}"] for part in UNIT_PARTS} == UNIT_PARTS
    assert found[unit] == UNIT_MACS
    assert found["decode_head"] - found["decode_head.units"] == L * (
        2048 * C * 9 + C * C * 9 + C * 19
    )


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
