"""Every config trains, validates and tests; the paper's have the paper's settings."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from glore_seg.apis import load_config
from glore_seg.datasets import CAMVID_CLASSES
from glore_seg.engine import build_dataset, build_model, build_runner
from glore_seg.errors import CheckpointError
from tests.configs.shrinking import shrink

CONFIGS = Path(__file__).parents[2] / "configs"
NAMES = sorted(
    str(path.relative_to(CONFIGS).with_suffix(""))
    for path in CONFIGS.rglob("*.py")
    if not {"_base_", "classification", "video"} & set(path.parts)
)
MAIN = "fcn_r50_glore_cityscapes"


def load(name: str) -> Config:
    return load_config(str(CONFIGS / f"{name}.py"))


def test_all_configs_are_found():
    assert len(NAMES) >= 12
    assert {MAIN, "showcase/pspnet_r50_glore_cityscapes"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_has_a_work_dir_of_its_name(name):
    assert load(name).work_dir == str(Path("work_dirs") / Path(name).name)


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.py")), ids=lambda path: path.stem)
def test_has_a_docstring(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_folders_and_labels_are_checked(name):
    cfg = load(name)
    for split in ("train", "val", "test"):
        dataset = cfg[f"{split}_dataloader"].dataset
        for one in dataset.get("datasets", [dataset]):
            assert one.type == "CheckedCityscapesDataset"
            assert "'LoadAnnotations'" not in str(one.pipeline)
    assert "'LoadAnnotations'" not in str(cfg.tta_pipeline)


@pytest.mark.parametrize(
    "name",
    [
        n if n == "fcn_r18_glore_street-scenes" else pytest.param(n, marks=pytest.mark.slow)
        for n in NAMES
    ],
)
def test_trains_validates_and_tests(name, street_scenes, tmp_path):
    cfg = shrink(load(name), street_scenes, tmp_path / "work_dir")
    formats_only = cfg.test_evaluator.get("format_only", False)
    if formats_only:
        cfg.test_evaluator.output_dir = str(tmp_path / "label_ids")
    runner = build_runner(cfg)
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    assert runner.iter == 1
    assert math.isfinite(runner.message_hub.get_scalar("train/loss").current())
    assert 0 <= runner.message_hub.get_scalar("val/mIoU").current() <= 100
    moved = [k for k, v in runner.model.named_parameters() if not v.equal(before[k])]
    assert "decode_head.conv_seg.weight" in moved
    assert any(k.startswith("backbone.") for k in moved)

    scores = runner.test()
    if formats_only:
        assert scores == {}
        check_label_ids(tmp_path / "label_ids", street_scenes)
    else:
        # The val split again and the same network.
        assert scores["mIoU"] == runner.message_hub.get_scalar("val/mIoU").current()


def check_label_ids(folder: Path, data_root: Path):
    """The files are named as the test server wants them and hold its label ids."""
    images = sorted((data_root / "leftImg8bit/test").rglob("*.png"))
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [image.name for image in images]
    evaluated = {7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33}
    for file in files:
        label = np.array(Image.open(file))
        assert label.shape == (64, 128)
        assert set(np.unique(label)) <= evaluated


def test_main_config_is_the_papers_recipe():
    cfg = load(MAIN)
    assert cfg.train_cfg.max_iters == 80_000
    schedule = {"type": "PolyLR", "eta_min": 0.0, "power": 0.9, "begin": 0, "end": 80_000}
    assert [dict(s) for s in cfg.param_scheduler] == [{**schedule, "by_epoch": False}]
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.momentum) == ("SGD", 0.006, 0.9)
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 8
    crop = cfg.train_dataloader.dataset.pipeline[0]
    assert tuple(crop.crop_size) == tuple(cfg.model.data_preprocessor.size) == (768, 768)
    checkpoint = cfg.default_hooks.checkpoint
    assert (checkpoint.save_best, checkpoint.rule) == ("mIoU", "greater")
    assert cfg.train_cfg.val_interval % checkpoint.interval == 0
    backends = [backend.type for backend in cfg.visualizer.vis_backends]
    assert backends == ["LocalVisBackend", "TensorboardVisBackend"]
    assert cfg.model.auxiliary_head is None
    assert cfg.model.pretrained == "open-mmlab://resnet50_v1c"


@pytest.mark.parametrize(
    ("name", "units", "dilations"),
    [
        ("fcn_r50_cityscapes", 0, (2, 4, 4)),
        ("fcn_r50_multigrid_cityscapes", 0, (4, 8, 16)),
        (MAIN, 1, (4, 8, 16)),
        ("fcn_r50_glore-x2_cityscapes", 2, (4, 8, 16)),
    ],
)
def test_table_3_in_the_built_networks(name, units, dilations):
    model = build_model(load(name))
    assert len(model.decode_head.units) == units
    for unit in model.decode_head.units:
        assert (unit.in_channels, unit.num_nodes, unit.num_states) == (512, 64, 128)
    found = tuple(block.conv2.dilation[0] for block in model.backbone.layer4)
    assert found == dilations
    # Output stride 8 by dilated Res4 (rate 2; the first block of a stage keeps the last rate).
    assert [block.conv2.dilation[0] for block in model.backbone.layer3] == [1, 2, 2, 2, 2, 2]


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("fcn_r")])
def test_rate_falls_to_zero_at_the_last_iteration(name):
    cfg = load(name)
    (schedule,) = cfg.param_scheduler
    assert schedule.end == cfg.train_cfg.max_iters == cfg.max_iters
    assert schedule.eta_min == 0


@pytest.mark.parametrize("depth", [50, pytest.param(101, marks=pytest.mark.slow)])
def test_configs_for_the_test_server_train_on_train_and_val(depth, street_scenes, tmp_path):
    cfg = load(f"fcn_r{depth}_glore_cityscapes-trainval")
    assert cfg.model.backbone.depth == depth
    assert cfg.model.pretrained == f"open-mmlab://resnet{depth}_v1c"
    assert cfg.default_hooks.checkpoint.save_best is None
    assert cfg.test_evaluator.type == "CityscapesScoreMetric"
    assert cfg.test_evaluator.output_dir == f"work_dirs/cityscapes_test_r{depth}"
    cfg = shrink(cfg, street_scenes, tmp_path)
    assert len(build_dataset(cfg, "train")) == 8 + 2
    assert len(build_dataset(cfg, "test")) == 1


def test_tta_scales_fall_from_two_to_a_half():
    for name, size in (("fcn_r101_glore_cityscapes", 1.0), ("fcn_r18_glore_camvid", 0.5)):
        cfg = load(name)
        assert cfg.tta_model == {"type": "AccumulatingSegTTAModel"}
        resizes, flips = cfg.tta_pipeline[1].transforms[:2]
        factors = [resize.scale_factor / size for resize in resizes]
        assert factors == [2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5]
        assert [flip.prob for flip in flips] == [0, 1]


def test_camvid_config_has_the_classes_of_the_converter():
    cfg = load("fcn_r18_glore_camvid")
    assert cfg.model.decode_head.num_classes == len(CAMVID_CLASSES)
    for split in ("train", "val", "test"):
        assert cfg[f"{split}_dataloader"].dataset.metainfo.classes == CAMVID_CLASSES
        assert cfg[f"{split}_dataloader"].dataset.data_root == "data/camvid/"


def test_missing_pretrained_weights(street_scenes, tmp_path):
    cfg = shrink(load(MAIN), street_scenes, tmp_path)
    cfg.model.pretrained = "/nowhere/x.pth"
    runner = build_runner(cfg)
    with pytest.raises(CheckpointError, match=r"'/nowhere/x\.pth'.*model\.pretrained=None"):
        runner.train()
