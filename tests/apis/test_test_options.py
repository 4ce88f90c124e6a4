"""Changes of a config by options, for each task."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from mmengine.config import Config

from glore_seg.apis import (
    load_config,
    use_inference,
    use_output_dir,
    use_split,
    use_tta,
    use_visualization,
)
from glore_seg.apis.tasks import TASKS, task_of
from glore_seg.apis.visualize import compare_models
from glore_seg.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]
LOAD, LABELS, PACK = (
    {"type": name} for name in ("LoadImageFromFile", "LoadCheckedAnnotations", "PackSegInputs")
)


def config(**dataset):
    dataset = {
        "type": "CheckedCityscapesDataset",
        "data_prefix": {"img_path": "leftImg8bit/val", "seg_map_path": "gtFine/val"},
        "ann_file": "val.txt",
        "indices": 3,
        "pipeline": [LOAD, LABELS, PACK],
        **dataset,
    }
    return Config(
        {
            "model": {"type": "EncoderDecoder", "test_cfg": {"mode": "whole"}},
            "test_dataloader": {"dataset": dataset},
            "tta_pipeline": [LOAD, {"type": "TestTimeAug", "transforms": [[LABELS], [PACK]]}],
            "tta_model": {"type": "SegTTAModel"},
        }
    )


def test_the_scope_tells_the_task(tmp_path):
    scopes = (None, "mmseg", "mmpretrain", "mmaction")
    names = [task_of(Config({"default_scope": scope})).name for scope in scopes]
    assert names == ["segmentation", "segmentation", "classification", "video"]
    (tmp_path / "detector.py").write_text("default_scope = 'mmdet'\n")
    message = "default_scope is 'mmdet'; expected one of mmseg, mmpretrain, mmaction"
    with pytest.raises(ConfigError, match=message):
        load_config(str(tmp_path / "detector.py"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'\n", "cls"),
        ("default_scope = 'mmaction'\n", "video"),
    ],
)
def test_a_missing_package_is_named_with_its_command(tmp_path, text, extra):
    site = tmp_path / "site"  # site-packages as they are, but for mmpretrain and mmaction2
    site.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("mmpretrain", "mmaction", "onedl_mmpretrain")):
            (site / entry.name).symlink_to(entry)
    (tmp_path / "config.py").write_text(text)
    # Appended, as site-packages are: some packages there have names of the standard library's.
    code = (
        f"import runpy, sys; sys.path += [{str(site)!r}, {str(REPOSITORY)!r}]; "
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
        (lambda cfg: compare_models({"a": (cfg, "x.pth")}, out_file=Path("none.png")), "compare"),
    ],
)
@pytest.mark.parametrize(
    ("scope", "name"), [("mmpretrain", "classification"), ("mmaction", "video")]
)
def test_what_needs_label_maps(use, what, scope, name):
    with pytest.raises(ConfigError, match=rf"{what} needs label maps.*{scope}.*{name}"):
        use(Config({"default_scope": scope}))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize(
    "hooks", [{}, {"default_hooks": {}}, {"default_hooks": {"visualization": None}}]
)
def test_draws_predictions(task, hooks):
    cfg = Config({"default_scope": task.scope, **hooks})
    use_visualization(cfg, show=False, show_dir="drawn", wait_time=1.0)
    options = {"interval": 1, "show": False, "wait_time": 1.0}
    assert cfg.default_hooks.visualization == {**task.visualization, **options}
    assert (cfg.visualizer.type, cfg.visualizer.save_dir) == (task.visualizer, "drawn")


def test_a_split_without_labels():
    cfg = config()
    use_split(cfg, "test")
    dataset = cfg.test_dataloader.dataset
    assert dataset.data_prefix == {"img_path": "leftImg8bit/test"}
    assert dataset.test_mode is True
    assert not {"ann_file", "indices"} & dataset.keys()
    assert dataset.pipeline == [LOAD, PACK]
    use_tta(cfg)
    assert cfg.test_dataloader.dataset.pipeline[1].transforms == [[PACK]]
    with pytest.raises(ConfigError, match="ConcatDataset"):
        use_split(config(type="ConcatDataset", datasets=[]), "test")


def test_tta_of_a_classifier_names_what_it_needs():
    with pytest.raises(ConfigError, match=r"tta_pipeline and tta_model .*AverageClsScoreTTA"):
        use_tta(Config({"default_scope": "mmpretrain"}))


def test_windows():
    cfg = config()
    use_inference(cfg, None)
    assert cfg.model.test_cfg == {"mode": "whole"}
    use_inference(cfg, "slide", crop_size=[64, 32], stride=[48, 32])
    assert cfg.model.test_cfg == {"mode": "slide", "crop_size": (64, 32), "stride": (48, 32)}
    use_inference(cfg, None, stride=(16, 16))
    assert cfg.model.test_cfg.stride == (16, 16)
    use_inference(cfg, "whole")
    assert cfg.model.test_cfg.mode == "whole"


@pytest.mark.parametrize("model", [{}, {"test_cfg": None}], ids=["absent", "None"])
def test_windows_where_the_config_has_no_test_cfg(model):
    cfg = Config({"model": model})
    use_inference(cfg, "slide", crop_size=(8, 8), stride=(4, 4))
    assert cfg.model.test_cfg == {"mode": "slide", "crop_size": (8, 8), "stride": (4, 4)}


@pytest.mark.parametrize(
    ("mode", "windows", "value"),
    [
        (None, {"crop_size": (64, 64)}, "--mode slide"),
        ("foo", {}, "'foo'"),
        ("slide", {}, "crop_size is None"),
        ("slide", {"crop_size": (8, 8), "stride": "4"}, "stride is '4'"),
        ("slide", {"crop_size": (8, 8, 8), "stride": 4}, r"crop_size is \(8, 8, 8\)"),
        ("slide", {"crop_size": 8, "stride": (0, 4)}, r"stride is \(0, 4\)"),
        ("slide", {"crop_size": 8, "stride": 9}, r"stride is \(9, 9\)"),
    ],
)
def test_rejects_windows_that_do_not_fit(mode, windows, value):
    with pytest.raises(ConfigError, match=value):
        use_inference(config(), mode, **windows)


@pytest.mark.parametrize("metric", ["CityscapesMetric", "CityscapesScoreMetric"])
def test_a_folder_for_predictions_is_kept(metric):
    cfg = Config({"test_evaluator": {"type": metric}})
    use_output_dir(cfg, "out", format_only=False)
    assert cfg.test_evaluator.output_dir == "out"
    # mmseg's removes its folder by default
    assert cfg.test_evaluator.get("keep_results", False) == (metric == "CityscapesMetric")
