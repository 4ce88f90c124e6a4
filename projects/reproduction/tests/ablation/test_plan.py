"""Which runs there are, where an interrupted one goes on, and what cannot be compared."""

import re

import pytest
from mmengine.config import Config

from projects.reproduction.ablation.plan import (
    Run,
    check_comparable,
    check_same_settings,
    plan_rows,
    plan_runs,
)
from projects.reproduction.tests.ablation.runs import log, make_config


@pytest.fixture
def load(tmp_path):
    def load(**changes):
        return Config.fromfile(make_config(tmp_path / "config.py", **changes))

    return load


def test_settings_are_those_of_the_command_line(tmp_path):
    config = str(make_config(tmp_path / "a.py", work_dir="mine"))
    options = {"train_cfg.max_iters": 6}
    (row,) = plan_rows([config], tmp_path, cfg_options=options, amp=True, channels_last=True)
    assert row.folder == tmp_path / "a"
    assert row.cfg.train_cfg.max_iters == 6
    assert row.cfg.optim_wrapper.type == "BFloat16OptimWrapper"
    assert row.cfg.custom_hooks == [{"type": "ChannelsLastHook"}]
    assert row.cfg.get("work_dir") is None


def test_runs_by_seed_and_what_is_refused(rows, tmp_path):
    config = str(tmp_path / "a.py")
    names = [run.name for run in plan_runs(rows, [0, 3])]
    assert names == ["a seed 0", "b seed 0", "a seed 3", "b seed 3"]
    with pytest.raises(ValueError, match="two rows are called a; expected a config file of"):
        plan_rows([config, config], tmp_path)
    with pytest.raises(ValueError, match="seeds are 1 1; expected different ones"):
        plan_runs(rows, [1, 1])
    make_config(tmp_path / "out" / "b" / "seed1" / "b.py", train_cfg__max_iters=8)
    with pytest.raises(ValueError, match=r"b/seed1 was trained with train_cfg.max_iters = 8"):
        plan_runs(rows, [0, 1])
    other = plan_rows([config], tmp_path, cfg_options={"train_cfg.max_iters": 8})
    with pytest.raises(ValueError, match=r"^b has train_cfg.max_iters = 4, a has 8; expected"):
        plan_runs([rows[1], *other], [0])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"train_cfg.max_iters": 5}, "max_iters = 5 and val_interval = 2"),
        ({"default_scope": "mmaction"}, "task is video"),
        ({"train_cfg": {"_delete_": True, "max_epochs": 3}}, "max_iters = None"),
        ({"val_dataloader": None}, "expected segmentation with a val_dataloader"),
    ],
)
def test_configs_that_would_end_without_a_score(tmp_path, changes, text):
    config = str(make_config(tmp_path / "a.py", default_scope="mmseg"))
    with pytest.raises(ValueError, match=rf"a\.py would end without a score: .*{text}"):
        plan_rows([config], tmp_path, cfg_options=changes)


def test_a_run_is_finished_with_its_last_score(rows):
    run = Run(rows[0], seed=0)
    assert (run.iteration(), run.finished()) == (0, False)
    log(run.work_dir, {2: 10.0}, until=4)
    # trained to the end, and killed in its validation
    assert (run.iteration(), run.finished()) == (4, False)
    log(run.work_dir, {2: 10.0, 4: 20.0}, until=4)
    assert run.finished()


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("train_cfg.max_iters", 8, "4, b has 8"),
        ("train_dataloader.batch_size", 4, "2, b has 4"),
        ("train_dataloader.dataset.pipeline.0.crop_size", (8, 8), "[4, 8], b has [8, 8]"),
        ("val_dataloader.dataset.data_root", "x", "'data', b has 'x'"),
        ("val_evaluator.instances", False, "'not set', b has False"),
        ("optim_wrapper.accumulative_counts", 2, "1, b has 2"),
    ],
)
def test_other_conditions_are_refused(load, key, value, text):
    same = load(model__type="Other", optim_wrapper__optimizer__lr=0.2)
    message = re.escape(f"a has {key} = {text}; expected one value")
    with pytest.raises(ValueError, match=f"^{message}"):
        check_comparable({"a": load(), "c": same, "b": load(**{key.replace(".", "__"): value})})


def test_seed_work_folder_and_resumption_may_differ(load):
    found = load(work_dir="a", randomness={"seed": 3}, resume=True, load_from="x.pth")
    check_same_settings(found, load(launcher="none"), where="out/seed0")
