"""The task of a config, and the options of other tasks."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from mmengine.config import Config

from glore_seg.apis import load_config, use_inference, use_output_dir, use_split
from glore_seg.apis.tasks import TASKS, task_of
from glore_seg.apis.test_options import use_tta, use_visualization
from glore_seg.apis.visualize import compare_models, compare_projections
from glore_seg.errors import ConfigError

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
    with pytest.raises(ConfigError, match=message):
        load_config(str(tmp_path / "detector.py"))


@pytest.fixture(scope="module")
def without_extras(tmp_path_factory):
    """Site-packages as they are, but for mmpretrain and mmaction2."""
    folder = tmp_path_factory.mktemp("site")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("mmpretrain", "mmaction", "onedl_mmpretrain")):
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'\n", "cls"),
        ("default_scope = 'mmaction'\n", "video"),
    ],
)
def test_a_missing_package_is_named_with_its_command(without_extras, tmp_path, text, extra):
    (tmp_path / "config.py").write_text(text)
    # Appended, as site-packages are: some packages there have names of the standard library's.
    code = (
        f"import runpy, sys; sys.path += [{str(without_extras)!r}, {str(REPOSITORY)!r}]; "
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
    package = next(task.scope for task in TASKS if task.extra == extra)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: {package} is not installed: pip install 'glore_seg[{extra}]'")
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
def test_what_needs_label_maps(use, what, scope, name):
    with pytest.raises(ConfigError, match=rf"{what} needs label maps.*{scope}.*{name}"):
        use(Config({"default_scope": scope}))


def test_statistics_of_maps_are_of_images():
    with pytest.raises(ConfigError, match=r"--statistics compares images, .* a video config"):
        compare_projections(Config({"default_scope": "mmaction"}), "x.pth")


def test_each_task_has_its_visualizer():
    for task in TASKS:
        cfg = Config({"default_scope": task.scope})
        use_visualization(cfg, show=False, show_dir="painted", wait_time=1.0)
        assert cfg.default_hooks.visualization == {
            **task.visualization, "interval": 1, "show": False, "wait_time": 1.0
        }  # fmt: skip
        assert cfg.visualizer.type == task.visualizer
        assert cfg.visualizer.save_dir == "painted"


def test_tta_of_a_classifier_names_what_it_needs():
    with pytest.raises(ConfigError, match=r"tta_pipeline and tta_model .*AverageClsScoreTTA"):
        use_tta(Config({"default_scope": "mmpretrain"}))
