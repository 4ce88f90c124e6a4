"""Whatever a wrong value leads a host to, the error names the config."""

import argparse

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import METRICS

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.cli import add_cfg_options
from glore_seg.engine import TrainingStopped, build_dataset, build_model, build_runner
from glore_seg.engine.config_errors import config_faults
from glore_seg.errors import GloReSegError
from tests.engine import toy
from tests.engine.conftest import STREET_SCENES


def changed(**options):
    return load_config(
        str(STREET_SCENES),
        cfg_options={**SMALL_NETWORK, **{key.replace("__", "."): v for key, v in options.items()}},
    )


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"model__type": "None"}, "KeyError: .*not in the mmseg::model registry"),
        ({"model__type": 3}, "TypeError: type must be a str"),
        ({"model__backbone__num_stages": 9}, "AssertionError"),
        ({"model__decode_head__channels": -1}, "RuntimeError: .*negative dimension"),
        ({"model__decode_head__dropout_ratio": "abc"}, "TypeError: '>' not supported"),
        ({"model__decode_head__xyz": 1}, "TypeError: .*unexpected keyword argument 'xyz'"),
    ],
)
def test_networks_that_cannot_be_built(options, what):
    message = rf"street-scenes\.py: cannot build model \({what}.*; at .*\.py:\d+\); expected values"
    with pytest.raises(ValueError, match=message) as raised:
        build_model(changed(**options))
    assert raised.value.__cause__ is not None


def test_data_sets_and_runners_that_cannot_be_built(tmp_path):
    cfg = changed(train_dataloader__dataset__type="None", work_dir=str(tmp_path))
    with pytest.raises(ValueError, match=r"cannot build train_dataloader\.dataset \(KeyError"):
        build_dataset(cfg, "train")
    cfg = changed(default_hooks__timer__type="None", work_dir=str(tmp_path))
    with pytest.raises(ValueError, match=r"street-scenes\.py: cannot build the Runner \(KeyError"):
        build_runner(cfg)


def test_what_the_runner_builds_as_it_begins(small_cfg, tmp_path):
    small_cfg.work_dir = str(tmp_path)
    small_cfg.experiment_name = small_cfg.visualizer.name = "late_faults"
    small_cfg.optim_wrapper.optimizer.lr = "abc"
    runner = build_runner(small_cfg)
    with pytest.raises(ValueError, match=r"cannot build optim_wrapper \(TypeError.*'<' not"):
        runner.train()


def test_an_optimiser_that_is_none(small_cfg, tmp_path):
    small_cfg.work_dir = str(tmp_path)
    small_cfg.experiment_name = small_cfg.visualizer.name = "no_optimiser"
    small_cfg.optim_wrapper.optimizer.type = "Adamm"
    message = r"optimizer\.type is 'Adamm', which is no registered optimizer; .* such as Adam.*,"
    runner = build_runner(small_cfg)
    with pytest.raises(ValueError, match=message):
        runner.train()


@pytest.mark.parametrize("text", ["model = dict(", "a = 1 +", "b = nowhere", "1 / 0", "\0"])
def test_files_that_cannot_be_read(text, tmp_path):
    (tmp_path / "a.py").write_text(text)
    with pytest.raises(ValueError, match=r"a\.py: cannot read it \(\w+Error.*correct the config"):
        load_config(str(tmp_path / "a.py"))


def test_options_that_lead_nowhere():
    with pytest.raises(ValueError, match=r"cannot take --cfg-options .*TypeError|KeyError"):
        load_config(str(STREET_SCENES), cfg_options={"param_scheduler.7.type": "PolyLR"})


@pytest.mark.parametrize("word", ["model", "model=(1,[2)", "model=[1,2"])
def test_options_that_are_no_key_and_value(word, capsys):
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["--cfg-options", "a=1", word])
    assert f"'{word}' is not KEY=VALUE" in capsys.readouterr().err


def test_our_own_errors_pass_as_they_are():
    with (
        pytest.raises(GloReSegError, match=r"config 'none\.py' does not exist"),
        config_faults(Config(), "read it"),
    ):
        load_config("none.py")


class Mistaken(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.missing + 1


def test_mistakes_of_the_users_own_components_keep_their_traceback():
    cfg = Config({"default_scope": "mmseg", "model": {"type": Mistaken}})
    with pytest.raises(AttributeError, match=r"no attribute 'missing'"):
        build_model(cfg)
    cfg.model.xyz = 1  # a wrong value of the config's
    with pytest.raises(ValueError, match=r"cannot build model \(TypeError: .*argument 'xyz'"):
        build_model(cfg)


def scored_by(metric, folder):
    cfg = toy.config(folder, val_evaluator__type=metric)
    return build_runner(cfg).val()


def test_a_metric_that_does_not_fit_is_named(tmp_path):
    message = r"cannot score with val_evaluator \(\w+Error: .*; at \S+/iou_metric\.py:\d+\)"
    with pytest.raises(ValueError, match=message):
        scored_by("mmseg.IoUMetric", tmp_path)


@METRICS.register_module()
class MistakenMetric(toy.ToyMetric):
    def compute_metrics(self, results):
        return self.missing


def test_a_metric_of_the_users_keeps_its_traceback(tmp_path):
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        scored_by("MistakenMetric", tmp_path)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),
        KeyboardInterrupt(),
        TrainingStopped(15, "stopped"),
    ],
)
def test_what_no_value_is_to_blame_for_passes(error):
    with pytest.raises(type(error)) as raised, config_faults("a.py", "score"):
        raise error
    assert raised.value is error
