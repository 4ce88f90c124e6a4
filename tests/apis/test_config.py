"""From the command line to a config that this machine can run, and the files of a training."""

import os
import sys

import pytest
import torch

from glore_seg.apis import load_config, use_amp
from glore_seg.apis.config import find_checkpoint, find_config
from glore_seg.checkpoints.configs import config_to_json
from glore_seg.errors import CheckpointError, ConfigError, MissingDependencyError

CONFIG = """
model = dict(norm_cfg=dict(type='SyncBN'), heads=[dict(norm_cfg=dict(type='SyncBN'), n=1)])
optim_wrapper = dict(type='OptimWrapper')
train_cfg = dict(max_iters=7)
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "recipe.py"
    path.write_text(CONFIG)
    return str(path)


def test_options_and_work_dir(config):
    cfg = load_config(config, cfg_options={"train_cfg.max_iters": 3, "resume": True})
    assert (cfg.train_cfg.max_iters, cfg.resume, cfg.launcher) == (3, True, "none")
    assert cfg.work_dir == "work_dirs/recipe"
    assert load_config(config, work_dir="elsewhere").work_dir == "elsewhere"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no.py", r"config 'no\.py' is not a file.*glore_seg::fcn"),
        (".", r"config '\.' is not a file.*config\.json"),
    ],
)
def test_missing_config(name, message):
    with pytest.raises(ConfigError, match=message):
        load_config(name)


def test_a_config_of_the_package_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = load_config("glore_seg::fcn_r50_glore-x2_cityscapes.py")
    assert cfg.model.decode_head.num_units == 2
    assert cfg.work_dir == "work_dirs/fcn_r50_glore-x2_cityscapes"


def test_json_keeps_its_tuples_and_runs_nothing(config, tmp_path):
    path = tmp_path / "config.json"
    cfg = load_config(config, cfg_options={"model.sizes": (1, 2)})
    path.write_text(config_to_json(cfg, source=config))
    assert load_config(str(path)).model.sizes == (1, 2)
    path.write_text('{"model": {"type": "os.system", "command": "true"}}')
    with pytest.raises(CheckpointError, match=r"config\.json: model\.type is 'os\.system'"):
        load_config(str(path))


def test_unknown_option(config):
    with pytest.raises(ConfigError, match=r"optim_wraper.lr: .*set optim_wrapper"):
        load_config(config, cfg_options={"optim_wraper.lr": 1})


def test_options_below_none_and_lists_for_tuples(tmp_path):
    """mmengine refuses the former, and RandomCrop the list that it would get."""
    path = tmp_path / "recipe.py"
    path.write_text("model = dict(sizes=(1, 2), clip=None, steps=[dict(crop_size=(8, 8))], n=[1])")
    options = {"model.sizes": [3, 4], "model.clip.max_norm": 1, "model.steps.0.crop_size": [6, 6]}
    cfg = load_config(str(path), cfg_options={**options, "model.n": [2], "model.new.key": 5})
    assert cfg.model.sizes == (3, 4)
    assert cfg.model.clip == {"max_norm": 1}
    assert cfg.model.steps[0].crop_size == (6, 6)
    assert cfg.model.n == [2]
    assert cfg.model.new.key == 5


def test_mmdet_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mmdet", None)
    path = tmp_path / "recipe.py"
    path.write_text("custom_imports = dict(imports='mmdet.models', allow_failed_imports=False)")
    with pytest.raises(MissingDependencyError, match="pip install mmdet"):
        load_config(str(path))


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a GPU")
def test_several_processes_without_gpu(config):
    cfg = load_config(config, launcher="pytorch")
    assert cfg.env_cfg.dist_cfg.backend == "gloo"
    assert cfg.model_wrapper_cfg.device_ids is None
    assert cfg.model.norm_cfg.type == "CPUSyncBN"
    alone = load_config(config)
    assert alone.model.norm_cfg.type == "SyncBN"
    assert "model_wrapper_cfg" not in alone


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a GPU")
@pytest.mark.parametrize("key", ["find_unused_parameters", "model_wrapper_cfg.static_graph"])
def test_settings_of_ddp_hold_without_gpu(config, key):
    cfg = load_config(config, cfg_options={key: True}, launcher="pytorch")
    name = key.split(".")[-1]
    assert cfg.model_wrapper_cfg[name] is True
    assert cfg.model_wrapper_cfg.type == "MMDistributedDataParallel"
    assert cfg.model_wrapper_cfg.device_ids is None


def test_amp(config):
    cfg = load_config(config)
    use_amp(cfg)
    chosen = cfg.optim_wrapper.type
    if not torch.cuda.is_available():
        assert chosen == "BFloat16OptimWrapper"
    use_amp(cfg)
    assert cfg.optim_wrapper.type == chosen
    cfg.optim_wrapper.type = "ApexOptimWrapper"
    with pytest.raises(ConfigError, match="'ApexOptimWrapper'; leave --amp out"):
        use_amp(cfg)


def make(folder, *names):
    for age, name in enumerate(names):
        (folder / name).touch()
        os.utime(folder / name, (1000 + age, 1000 + age))


def test_the_one_config(tmp_path):
    with pytest.raises(ConfigError, match=r"none.*--config"):
        find_config(tmp_path)
    make(tmp_path, "a.py")
    assert find_config(tmp_path).name == "a.py"
    make(tmp_path, "b.py")
    with pytest.raises(ConfigError, match=r"a\.py, b\.py"):
        find_config(tmp_path)


def test_the_best_checkpoint_before_the_last(tmp_path):
    with pytest.raises(ConfigError, match="--checkpoint"):
        find_checkpoint(tmp_path)
    for names, found in (
        (("iter_900.pth", "iter_1000.pth"), "iter_1000.pth"),
        (("best_aAcc_iter_900.pth",), "best_aAcc_iter_900.pth"),
        (("best_mIoU_iter_900.pth", "best_mIoU_iter_1000.pth"), "best_mIoU_iter_1000.pth"),
    ):
        make(tmp_path, *names)
        assert find_checkpoint(tmp_path).name == found
