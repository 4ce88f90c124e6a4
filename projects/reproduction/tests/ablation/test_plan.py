"""Which runs there are, and where an interrupted one goes on."""

import pytest
from mmengine.config import Config

from projects.reproduction.ablation.plan import Run, plan_rows, plan_runs, write_settings
from projects.reproduction.tests.ablation.runs import log, make_config


@pytest.fixture
def rows(tmp_path):
    configs = [str(make_config(tmp_path / f"{name}.py")) for name in "ab"]
    return plan_rows(configs, tmp_path / "out")


def test_every_row_has_the_first_seed_before_any_has_the_second(rows):
    names = [run.name for run in plan_runs(rows, [0, 3])]
    assert names == ["a seed 0", "b seed 0", "a seed 3", "b seed 3"]


def test_settings_are_those_of_the_command_line(tmp_path):
    config = str(make_config(tmp_path / "a.py"))
    (row,) = plan_rows(
        [config],
        tmp_path / "out",
        cfg_options={"train_cfg.max_iters": 6},
        amp=True,
        channels_last=True,
    )
    write_settings(row)
    assert row.settings == tmp_path / "out" / "a" / "a.py"
    written = Config.fromfile(row.settings)
    assert written.train_cfg.max_iters == 6
    assert written.optim_wrapper.type == "BFloat16OptimWrapper"
    assert written.custom_hooks == [{"type": "ChannelsLastHook"}]
    assert written.get("work_dir") is None


def test_what_is_refused(rows, tmp_path):
    config = str(tmp_path / "a.py")
    with pytest.raises(ValueError, match="two rows are called a; expected a config file of"):
        plan_rows([config, config], tmp_path)
    with pytest.raises(ValueError, match=r"every 2 of 5 iterations.*a divisor of 5"):
        plan_rows([config], tmp_path, cfg_options={"train_cfg.max_iters": 5})
    with pytest.raises(ValueError, match="seeds are 1 1; expected different ones"):
        plan_runs(rows, [1, 1])
    make_config(tmp_path / "out" / "b" / "seed1" / "b.py", train_cfg__max_iters=8)
    with pytest.raises(ValueError, match=r"b/seed1 was trained with train_cfg.max_iters = 8"):
        plan_runs(rows, [0, 1])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"default_scope": "mmaction"},
            r"a\.py is a video config; expected a segmentation config that trains by iterations",
        ),
        (
            {"train_cfg": {"_delete_": True, "max_epochs": 3}},
            "is without train_cfg.max_iters; expected",
        ),
        ({"train_cfg": None}, "is without train_cfg.max_iters; expected"),
        ({"train_cfg.val_interval": 0}, "max_iters = 4 and val_interval = 0; expected whole"),
        ({"train_cfg.max_iters": "4"}, "max_iters = '4' and val_interval = 2; expected whole"),
        ({"val_dataloader": None}, "has no val_dataloader"),
    ],
)
def test_configs_that_would_end_without_a_score(tmp_path, changes, text):
    config = str(make_config(tmp_path / "a.py", default_scope="mmseg"))
    with pytest.raises(ValueError, match=text):
        plan_rows([config], tmp_path, cfg_options=changes)


def test_rows_that_cannot_be_compared_are_not_trained(tmp_path):
    configs = [str(make_config(tmp_path / "a.py")), str(make_config(tmp_path / "b.py"))]
    make_config(tmp_path / "b.py", train_cfg__max_iters=8)
    rows = plan_rows(configs, tmp_path / "out")
    with pytest.raises(ValueError, match=r"^a has train_cfg.max_iters = 4, b has 8; expected"):
        plan_runs(rows, [0])


def test_a_run_is_finished_with_its_last_score(rows):
    run = Run(rows[0], seed=0)
    assert (run.iteration(), run.finished()) == (0, False)
    log(run.work_dir, {2: 10.0}, until=4)
    # trained to the end, and killed in its validation
    assert (run.iteration(), run.finished()) == (4, False)
    log(run.work_dir, {2: 10.0, 4: 20.0}, until=4)
    assert run.finished()
