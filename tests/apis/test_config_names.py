"""Names at the top of a config that change nothing."""

from pathlib import Path

import pytest
from mmengine.config import Config

from glore_seg.apis import load_config
from glore_seg.apis.config_names import live_keys, unused_names
from glore_seg.errors import ConfigError
from tests.fixtures import REPOSITORY, STREET_SCENES

OWN = sorted((REPOSITORY / "configs").rglob("*.py"))


@pytest.fixture(scope="module")
def cfg():
    return load_config(str(STREET_SCENES))


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("max_iters", ["train_cfg.max_iters"]),
        (
            "crop_size",
            ["train_dataloader.dataset.pipeline.0.crop_size", "model.data_preprocessor.size"],
        ),
        ("data_preprocessor", ["model.data_preprocessor"]),
        ("train_pipeline", ["train_dataloader.dataset.pipeline"]),
        ("lr", ["optim_wrapper.optimizer.lr"]),
        (
            "dataset_type",
            ["train_dataloader.dataset.type", "val_dataloader.dataset.type",
             "test_dataloader.dataset.type"],
        ),
        ("seed", ["randomness.seed"]),
        ("nonsense", []),
    ],
)  # fmt: skip
def test_the_keys_that_are_read_in_place_of_a_name(cfg, name, keys):
    assert live_keys(cfg, name) == keys


@pytest.mark.parametrize(
    "option", ["data_preprocessor.size", "max_iters", "crop_size", "train_pipeline", "nonsense"]
)
def test_an_option_that_changes_nothing_is_refused(cfg, option):
    name = option.split(".")[0]
    with pytest.raises(ConfigError, match=f"'{name}'") as error:
        load_config(str(STREET_SCENES), cfg_options={option: 2})
    assert all(key in str(error.value) for key in live_keys(cfg, name))


def test_options_that_only_mmengine_knows_are_taken(tmp_path):
    path = tmp_path / "own.py"
    path.write_text("model = dict()\nfor_my_hook = 1\n")
    names = {"find_unused_parameters": True, "sync_bn": "torch", "for_my_hook": 2}
    cfg = load_config(str(path), cfg_options=names)
    assert {name: cfg[name] for name in names} == names


def write(folder: Path, text: str, name: str = "child.py") -> Config:
    (folder / name).write_text(text)
    return Config.fromfile(folder / name)


def test_names_of_a_child_config_that_nothing_reads(tmp_path):
    """`dead_names.py` of the reported cases, and steps changed in a list that is not passed on."""
    cfg = write(
        tmp_path,
        f"_base_ = {str(STREET_SCENES)!r}\ncrop_size = (32, 32)\nmax_iters = 2\n"
        "optim_warpper = dict(optimizer=dict(lr=1.0))\n"
        "train_pipeline = _base_.train_pipeline\ntrain_pipeline[0] = dict(type='A')\n"
        "train_pipeline.insert(0, dict(type='B'))\n",
    )
    (warning,) = unused_names(cfg)
    assert "max_iters (set train_cfg.max_iters)" in warning, warning
    assert "train_pipeline (set train_dataloader.dataset.pipeline)" in warning
    assert "model.data_preprocessor.size" in warning
    assert "optim_warpper (set optim_wrapper)" in warning
    assert str(tmp_path / "child.py") in warning


def test_names_that_a_config_uses(tmp_path):
    base = "_base_ = []\nown = 5\n"
    base += "data_root = 'a'\nscale = 2\nwidth = 3\n_own = 4\nmodel = dict(type='A')\n"
    (tmp_path / "base.py").write_text(base)
    cfg = write(
        tmp_path,
        "_base_ = ['./base.py']\nmax_iters, every = 3, 1\nsteps = [dict(a=1)]\nsteps[0]['a'] = 2\n"
        "train_cfg = dict(max_iters=max_iters, val_interval=every)\n"
        "train_dataloader = dict(root=_base_.data_root, w='{{_base_.width}}', pipeline=steps)\n"
        "test_dataloader = dict(scale=_base_['scale'], own=_base_.get('own'))\n"
        "model = dict(depth=18)\ntta_pipeline = []\nfind_unused_parameters = True\n",
    )
    assert unused_names(cfg) == []


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("opt = _base_.optim_wrapper.optimizer\nopt.lr = 9.0", ""),
        ("opt = _base_['optim_wrapper']['optimizer']\nopt.update(lr=9.0)", ""),
        ("pipe = _base_.train_dataloader.dataset.pipeline\nstep = pipe[0]\nstep['a'] = 1", ""),
        ("loop = dict(a=dict())\ntrain_cfg = loop\npart = train_cfg['a']\npart['b'] = 1", ""),
        ("steps = _base_.train_pipeline\nsteps[0]['a'] = 1", "steps"),
        ("settings = dict(a=1)\nlr = settings['a']", "lr"),
    ],
)
def test_a_part_of_the_inherited_config_that_is_changed_in_place(tmp_path, text, unused):
    warnings = unused_names(write(tmp_path, f"_base_ = {str(STREET_SCENES)!r}\n{text}\n"))
    assert [warning.split(": ")[1].split()[0] for warning in warnings] == [unused] * bool(unused)


def test_a_dumped_config_has_the_names_of_all_files(tmp_path, cfg):
    cfg.dump(tmp_path / "dumped.py")
    assert "\ntrain_pipeline" in (tmp_path / "dumped.py").read_text()
    assert unused_names(Config.fromfile(tmp_path / "dumped.py")) == []


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(OWN[0].parents[1])))
def test_own_configs_have_no_such_names(path):
    assert unused_names(Config({}, filename=str(path))) == []


def test_configs_without_a_file_of_python(tmp_path):
    assert unused_names(Config({"model": {}})) == []
    (tmp_path / "config.json").write_text("{}")
    assert unused_names(Config({"model": {}}, filename=tmp_path / "config.json")) == []
