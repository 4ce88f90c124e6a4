"""The table and the JSON say the same."""

import json

import pytest


def test_table_and_json(load_tool, small_config, capsys):
    arguments = [small_config, "--gpus", "4", "--step-ms", "50", "--bandwidth", "1"]
    load_tool("analysis/scaling")(arguments)
    table = capsys.readouterr().out
    load_tool("analysis/scaling")([*arguments, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["alone"] == 0.05
    assert found["efficiency"] == pytest.approx(
        0.05 / (0.05 + found["waited_gradients"] + found["statistics"] + found["votes"])
    )
    assert f"efficiency: {found['efficiency']:.1%}" in table
    rows = [line.split() for line in table.splitlines()]
    assert ["gradients", str(len(found["gradients"]))] in [row[:2] for row in rows]
    number = len(found["reduced"]) + len(found["gathered"])
    assert ["statistics", "of", "norms", str(number)] in [row[:4] for row in rows]


def test_what_cannot_be(load_tool, small_config):
    with pytest.raises(ValueError, match="expected a bandwidth above 0"):
        load_tool("analysis/scaling")([small_config, "--step-ms", "50", "--bandwidth", "0"])
