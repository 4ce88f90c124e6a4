"""The task that a config is for, and what other tasks' options say."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from torch import nn

from glore_seg.apis import load_config, use_inference, use_output_dir, use_split
from glore_seg.apis.test_options import use_tta, use_visualization
from glore_seg.apis.visualize import compare_models, compare_projections
from glore_seg.engine.hooks.setup_check_hook import check_classes, check_same_classes
from glore_seg.engine.tasks import TASKS, task_of

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        (None, "segmentation"),
        ("mmseg", "segmentation"),
        ("mmpretrain", "classification"),
        ("mmaction", "video"),
    ],
)
def test_the_scope_tells_the_task(scope, name):
    assert task_of(Config({"default_scope": scope})).name == name


def test_another_scope_is_refused(tmp_path):
    (tmp_path / "detector.py").write_text("default_scope = 'mmdet'\n")
    message = "default_scope is 'mmdet'; expected one of mmseg, mmpretrain, mmaction"
    with pytest.raises(ValueError, match=message):
        load_config(str(tmp_path / "detector.py"))


@pytest.fixture(scope="module")
def without_hosts(tmp_path_factory):
    """Site-packages as they are, but for mmpretrain and mmaction2."""
    folder = tmp_path_factory.mktemp("site")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("mmpretrain", "mmaction", "onedl_mmpretrain")):
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'\n", "cls"),
        ("default_scope = 'mmaction'\n", "video"),
    ],
)
def test_a_missing_host_is_named_with_its_command(without_hosts, tmp_path, text, extra):
    (tmp_path / "config.py").write_text(text)
    # Appended, as site-packages are: some packages there have names of the standard library's.
    code = (
        f"import runpy, sys; sys.path += [{str(without_hosts)!r}, {str(REPOSITORY)!r}]; "
        f"sys.argv = ['train.py', 'config.py']; "
        f"runpy.run_path({str(REPOSITORY / 'tools' / 'train.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    host = next(task.scope for task in TASKS if task.extra == extra)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: {host} is not installed: pip install 'glore_seg[{extra}]'")
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda cfg: use_output_dir(cfg, "out", format_only=True), "--out"),
        (lambda cfg: use_inference(cfg, "whole"), "predicting"),
        (lambda cfg: use_split(cfg, "test"), "a submission"),
        (lambda cfg: compare_models([(cfg, "x.pth")], out_file=Path("none.png")), "compare"),
    ],
)
@pytest.mark.parametrize(
    ("scope", "name"), [("mmpretrain", "classification"), ("mmaction", "video")]
)
def test_what_works_on_label_maps_alone(use, what, scope, name):
    message = rf"{what} works on label maps, and this is a {name} config .*; expected a segm"
    if what.startswith("-"):
        message += rf".* give one, or leave {what} out"
    with pytest.raises(ValueError, match=message):
        use(Config({"default_scope": scope}))


def test_statistics_of_maps_are_of_images():
    with pytest.raises(ValueError, match=r"--statistics compares images, .* a video config"):
        compare_projections(Config({"default_scope": "mmaction"}), "x.pth")


def test_each_task_has_its_own_painter():
    for task in TASKS:
        cfg = Config({"default_scope": task.scope})
        use_visualization(cfg, show=False, show_dir="painted", wait_time=1.0)
        assert cfg.default_hooks.visualization == {
            **task.visualization, "interval": 1, "show": False, "wait_time": 1.0
        }  # fmt: skip
        assert cfg.visualizer.type == task.visualizer
        assert cfg.visualizer.save_dir == "painted"


def test_tta_of_a_classifier_names_what_it_needs():
    with pytest.raises(ValueError, match=r"tta_pipeline and tta_model .*AverageClsScoreTTA"):
        use_tta(Config({"default_scope": "mmpretrain"}))


class Network(nn.Module):
    def __init__(self, name, num_classes):
        super().__init__()
        self.add_module(name, nn.Identity())
        getattr(self, name).num_classes = num_classes


def data_set(*classes):
    return BaseDataset(metainfo={"classes": classes}, lazy_init=True)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_tasks_head_must_fit_the_data(task):
    check_classes(Network(task.head, 2), data_set("car", "bus"))
    message = rf"num_classes=3, .* has 2 classes \('car', 'bus'\). Set model.{task.head}.num_class"
    with pytest.raises(ValueError, match=message):
        check_classes(Network(task.head, 3), data_set("car", "bus"))


def test_training_and_validation_know_the_same_classes():
    check_same_classes(data_set("car", "bus"), data_set("car", "bus"))
    check_same_classes(data_set("car", "bus"), BaseDataset(lazy_init=True))
    with pytest.raises(ValueError, match=r"knows the classes \('car', 'bus'\), validation \('bus'"):
        check_same_classes(data_set("car", "bus"), data_set("bus", "car"))
