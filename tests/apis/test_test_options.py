"""Changes of a config by options, for each task."""

import sys
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
from glore_seg.apis.report import write_report
from glore_seg.apis.tasks import TASKS, task_of
from glore_seg.apis.visualize import compare_models
from glore_seg.errors import ConfigError, MissingDependencyError

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


def test_tta_keeps_the_preprocessor_of_the_training():
    """Where mmengine would take the one at the top level, which mmseg's bases leave there."""
    cfg = config()
    cfg.data_preprocessor = {"type": "SegDataPreProcessor", "mean": [9.0, 9.0, 9.0]}
    cfg.model.data_preprocessor = {"type": "SegDataPreProcessor", "mean": [1.0, 2.0, 3.0]}
    use_tta(cfg)
    assert cfg.model.data_preprocessor.mean == [1.0, 2.0, 3.0]


def test_the_scope_tells_the_task(tmp_path):
    scopes = (None, "mmseg", "mmpretrain", "mmaction")
    names = [task_of(Config({"default_scope": scope})).name for scope in scopes]
    assert names == ["segmentation", "segmentation", "classification", "video"]
    (tmp_path / "detector.py").write_text("default_scope = 'mmdet'\n")
    message = "default_scope is 'mmdet'; expected one of mmseg, mmpretrain, mmaction"
    with pytest.raises(ConfigError, match=message):
        load_config(str(tmp_path / "detector.py"))


@pytest.mark.parametrize(
    ("text", "package", "extra"),
    [
        ("_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'\n", "mmpretrain", "cls"),
        ("default_scope = 'mmaction'\n", "mmaction", "video"),
    ],
)
def test_a_missing_package_is_named_with_its_command(tmp_path, monkeypatch, text, package, extra):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    (tmp_path / "config.py").write_text(text)
    message = rf"{package} is not installed: pip install 'glore_seg\[{extra}\]'"
    with pytest.raises(MissingDependencyError, match=message):
        load_config(str(tmp_path / "config.py"))


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda cfg: use_output_dir(cfg, "out", format_only=True), "--out"),
        (lambda cfg: use_inference(cfg, "whole"), "predicting"),
        (lambda cfg: use_split(cfg, "test"), "a submission"),
        (lambda cfg: compare_models({"a": (cfg, "x.pth")}, out_file=Path("none.png")), "compare"),
        (
            lambda cfg: write_report(Path(), Path("a.html"), config=cfg, checkpoint=Path("x.pth")),
            "the report",
        ),
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
    for model in ({}, {"test_cfg": None}):
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
