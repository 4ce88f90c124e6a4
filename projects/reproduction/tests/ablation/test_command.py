"""Costs of small networks, and the command from two configs to the tables, with real trainings."""

import json
from pathlib import Path

import pytest

from projects.reproduction.ablation.costs import measure_costs
from projects.reproduction.ablation.plan import plan_rows
from tests.fixtures import REPOSITORY

OPTIONS = {
    "model.data_preprocessor.size": (32, 48),
    "train_dataloader.batch_size": 2,
    "model.backbone.base_channels": 4,
    "model.backbone.stem_channels": 4,
    "model.decode_head.in_channels": 32,
    "model.decode_head.channels": 16,
}


def test_a_unit_costs_its_parameters_and_products(tmp_path):
    configs = [
        str(REPOSITORY / "configs" / name)
        for name in ("camvid/fcn_r18_multigrid_camvid.py", "fcn_r18_glore_camvid.py")
    ]
    rows = plan_rows(configs, tmp_path, cfg_options=OPTIONS, amp=True, channels_last=True)
    plain, unit = measure_costs(rows, rounds=3).values()
    # N = 32, S = 64 on 16 channels: state, projection, two graph convolutions, extension, norm
    weights = 64 * 17 + 32 * 17 + 32 * 33 + 64 * 64 + 16 * 64 + 2 * 16
    assert unit.params - plain.params == weights
    positions = (32 // 8) * (48 // 8)
    products = positions * (16 * (64 + 32 + 64) + 2 * 32 * 64) + 32 * 64 * (32 + 64)
    assert unit.macs - plain.macs == products
    assert plain.times_first == 1.0
    assert unit.memory_mb > plain.memory_mb > 0
    assert min(plain.step_ms, plain.step_cpu_ms, unit.step_ms, unit.times_first) > 0


@pytest.mark.parametrize("device", ["cuda:99", "meta"])
def test_a_device_that_measures_nothing_is_refused(device):
    with pytest.raises(ValueError, match=f"device is '{device}'.*; expected cpu"):
        measure_costs([], device=device)


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
