"""The table and the JSON say the same."""

import json

import pytest


def test_table_and_json(load_tool, small_config, capsys):
    arguments = [small_config, "--gpus", "4", "--step-ms", "50", "--bandwidth", "1"]
    load_tool("projects.reproduction.scaling")(arguments)
    table = capsys.readouterr().out
    load_tool("projects.reproduction.scaling")([*arguments, "--json"])
    found = json.loads(capsys.readouterr().out)
    seconds, sizes = found["seconds"], found["bytes"]
    assert seconds["alone"] == 0.05
    waited = seconds["waited_gradients"] + seconds["statistics"] + seconds["loop"]
    assert seconds["step"] == pytest.approx(0.05 + waited)
    assert found["efficiency"] == pytest.approx(0.05 / seconds["step"])
    assert f"efficiency: {found['efficiency']:.1%}" in table
    rows = [line.split() for line in table.splitlines()]
    assert ["gradients", str(len(sizes["gradients"]))] in [row[:2] for row in rows]
    number = len(sizes["reduced"]) + len(sizes["gathered"])
    assert ["statistics", "of", "norms", str(number)] in [row[:4] for row in rows]


def test_what_cannot_be(load_tool, small_config):
    with pytest.raises(ValueError, match="expected a bandwidth above 0"):
        load_tool("projects.reproduction.scaling")(
            [small_config, "--step-ms", "50", "--bandwidth", "0"]
        )
