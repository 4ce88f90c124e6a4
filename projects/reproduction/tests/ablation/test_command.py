"""From two configs to the tables, with real trainings."""

import json
from pathlib import Path

import pytest


@pytest.mark.slow
def test_trains_measures_and_gathers(write_config, load_tool, tmp_path, capsys):
    rows = []
    for name, units in (("none", 0), ("one", 1)):
        text = Path(write_config(model__decode_head__num_units=units)).read_text()
        (tmp_path / f"{name}.py").write_text(text)
        rows.append(str(tmp_path / f"{name}.py"))
    main = load_tool("projects.reproduction.ablation.__main__")
    command = [*rows, "--out", str(tmp_path / "out"), "--seeds", "0"]
    with pytest.raises(ValueError, match="no finished run of none, one with seed 0"):
        main([*command, "--gather-only"])
    main([*command, "--costs"])
    main(command)
    text = capsys.readouterr().out
    assert "none seed 0 begins at iteration 0; 0 of 8 iterations" in text
    assert "one seed 0 is done; 8 of 8 iterations" in text
    found = json.loads((tmp_path / "out" / "ablation.json").read_text())
    (run,) = found["rows"]["one"]["runs"]
    assert [step for step, _ in run["curve"]] == [2, 4]
    assert found["rows"]["one"]["difference"]["seeds"] == [0]
    for counted in ("params", "macs"):
        one, none = (found["rows"][row][counted] for row in ("one", "none"))
        assert one > none > 0
        assert found["costs"]["one"][counted] == one
    # Again: nothing is trained, and the same is found.
    main(command)
    assert "begins" not in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "ablation.json").read_text()) == found
    with pytest.raises(ValueError, match=r"seed0 was trained with train_cfg.max_iters = 4"):
        main([*command, "--cfg-options", "train_cfg.max_iters=8"])
