"""Changes of a config by options."""

import pytest
from mmengine.config import Config

from glore_seg.apis import use_inference, use_output_dir, use_split, use_tta, use_visualization
from glore_seg.apis.windows import check_windows
from glore_seg.errors import ConfigError


def config(**dataset):
    load = {"type": "LoadImageFromFile"}
    labels = {"type": "LoadCheckedAnnotations"}
    pack = {"type": "PackSegInputs"}
    dataset = {
        "type": "CheckedCityscapesDataset",
        "data_prefix": {"img_path": "leftImg8bit/val", "seg_map_path": "gtFine/val"},
        "ann_file": "val.txt",
        "indices": 3,
        "pipeline": [load, labels, pack],
        **dataset,
    }
    return Config(
        {
            "model": {"type": "EncoderDecoder", "test_cfg": {"mode": "whole"}},
            "test_dataloader": {"dataset": dataset},
            "tta_pipeline": [load, {"type": "TestTimeAug", "transforms": [[labels], [pack]]}],
            "tta_model": {"type": "SegTTAModel"},
        }
    )


def test_a_split_without_labels():
    cfg = config()
    use_split(cfg, "test")
    dataset = cfg.test_dataloader.dataset
    assert dataset.data_prefix == {"img_path": "leftImg8bit/test"}
    assert dataset.test_mode is True
    assert not {"ann_file", "indices"} & dataset.keys()
    assert [t.type for t in dataset.pipeline] == ["LoadImageFromFile", "PackSegInputs"]
    use_tta(cfg)
    assert cfg.test_dataloader.dataset.pipeline[1].transforms == [[{"type": "PackSegInputs"}]]


def test_rejects_a_split_of_several_datasets():
    cfg = config(type="ConcatDataset", datasets=[])
    with pytest.raises(ConfigError, match="ConcatDataset"):
        use_split(cfg, "test")


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
    cfg = Config({"model": model})
    use_inference(cfg, None)
    assert cfg.model.test_cfg == {"mode": "whole"}


@pytest.mark.parametrize(
    "hooks", [{}, {"default_hooks": {}}, {"default_hooks": {"visualization": None}}]
)
def test_draws_predictions_if_the_config_has_no_hook(hooks):
    cfg = Config(hooks)
    use_visualization(cfg, show=False, show_dir="drawn", wait_time=2.0)
    assert cfg.default_hooks.visualization == {
        "type": "SegVisualizationHook", "draw": True, "interval": 1, "show": False,
        "wait_time": 2.0,
    }  # fmt: skip
    assert cfg.visualizer.save_dir == "drawn"


@pytest.mark.parametrize(
    ("mode", "windows", "value"),
    [
        (None, {"crop_size": (64, 64)}, "--mode slide"),
        ("slide", {}, "crop_size is None"),
        ("slide", {"crop_size": (8, 8), "stride": (8, 9)}, r"stride is \(8, 9\)"),
        ("foo", {}, "'foo'"),
    ],
)
def test_rejects_windows_that_do_not_fit(mode, windows, value):
    with pytest.raises(ConfigError, match=value):
        use_inference(config(), mode, **windows)


@pytest.mark.parametrize(
    ("test_cfg", "value"),
    [
        ({}, "crop_size is None"),
        ({"crop_size": (8, 8), "stride": "4"}, "stride is '4'"),
        ({"crop_size": (8, 8, 8), "stride": 4}, r"crop_size is \(8, 8, 8\)"),
        ({"crop_size": 8, "stride": (0, 4)}, r"stride is \(0, 4\)"),
        ({"crop_size": 8, "stride": 9}, r"stride is \(9, 9\)"),
    ],
)
def test_rejects_malformed_windows(test_cfg, value):
    with pytest.raises(ConfigError, match=value):
        check_windows(test_cfg)


def test_one_number_is_a_square_window():
    cfg = config()
    cfg.model.test_cfg = {"crop_size": 8, "stride": 4}
    use_inference(cfg, "slide")
    assert cfg.model.test_cfg == {"mode": "slide", "crop_size": (8, 8), "stride": (4, 4)}


@pytest.mark.parametrize("metric", ["CityscapesMetric", "CityscapesScoreMetric"])
def test_a_folder_for_predictions_is_kept(metric):
    cfg = Config({"test_evaluator": {"type": metric}})
    use_output_dir(cfg, "out", format_only=False)
    assert cfg.test_evaluator.output_dir == "out"
    # mmseg's removes its folder by default
    assert cfg.test_evaluator.get("keep_results", False) == (metric == "CityscapesMetric")
