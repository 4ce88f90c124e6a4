"""Settings of a training that do not go together."""

import copy
from pathlib import Path

import mmseg
import pytest
from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook
from mmengine.optim import PolyLR
from mmseg.models.losses import CrossEntropyLoss

from glore_seg.apis import check_config, load_config
from glore_seg.errors import ConfigError
from tests.fixtures import REPOSITORY, STREET_SCENES

IOU = {"_delete_": True, "type": "IoUMetric", "iou_metrics": ["mIoU"]}
OWN = {
    f"{split}_dataloader.dataset.metainfo": {"classes": ("soil", "crop", "weed")}
    for split in ("train", "val")
}


@pytest.fixture(scope="module")
def base():
    cfg = load_config(str(STREET_SCENES))
    cfg.train_dataloader.dataset.data_root = "nowhere"  # nothing is read
    return cfg


@pytest.fixture
def check(base):
    def check(changes):
        cfg = copy.deepcopy(base)
        cfg.merge_from_dict(changes)
        return check_config(cfg)

    return check


def test_a_config_without_contradictions(check):
    assert check({}) == []
    assert check({**OWN, "val_evaluator": IOU, "model.decode_head.num_classes": 3}) == []


@pytest.mark.parametrize(
    "path",
    [
        "showcase/upernet_r50_glore_cityscapes.py",
        "camvid/pspnet_r18_camvid.py",
        "classification/resnet18_street-crops.py",
        "video/r26_glore_moving-shapes.py",
    ],
)
def test_own_configs(path):
    assert check_config(load_config(str(REPOSITORY / "configs" / path))) == []


@pytest.mark.slow
def test_all_own_configs():
    for path in (REPOSITORY / "configs").rglob("*.py"):
        assert check_config(load_config(str(path))) == [], path


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        # One class under softmax: loss 0, accuracy 100.
        ({"model.decode_head.num_classes": 1}, ["model.decode_head has one channel", "softmax"]),
        ({"model.decode_head.out_channels": 1}, ["model.decode_head has one channel"]),
        *(
            ({"model.decode_head.num_classes": 1,
              "model.decode_head.loss_decode": {"_delete_": True, "type": kind}}, ["softmax"])
            for kind in ("mmseg.CrossEntropyLoss", "OhemCrossEntropy", CrossEntropyLoss)
        ),
        # Class weights.
        (
            {"model.decode_head.loss_decode.class_weight": [1.0, 2.0]},
            ["loss_decode.class_weight has 2 values; expected 19"],
        ),
        (
            {
                "model.decode_head.loss_decode.class_weight": [1.0] * 19,
                "model.decode_head.loss_decode.use_sigmoid": True,
            },
            ["class_weight and use_sigmoid"],
        ),
        (
            {"model.decode_head.loss_decode": {
                "type": "mmseg.CrossEntropyLoss", "class_weight": [1.0] * 19, "use_sigmoid": True}},
            ["class_weight and use_sigmoid"],
        ),
        # What a merged part inherits.
        (
            {"optim_wrapper.optimizer": {"type": "AdamW", "lr": 0.001}},
            ["AdamW does not take momentum", "optim_wrapper.optimizer._delete_=True"],
        ),
        (
            {"model.decode_head.type": "FCNHead"},
            ["FCNHead does not take", "num_nodes", "model.decode_head._delete_=True"],
        ),
        (
            {"model.backbone": {"type": "mmseg.MixVisionTransformer"}},
            ["does not take", "depth", "model.backbone._delete_=True"],
        ),
        (
            {"val_dataloader.dataset": {"type": "BaseSegDataset", "pack": "a.pack"}},
            ["val_dataloader.dataset: BaseSegDataset does not take pack"],
        ),
        # A training whose first epoch never ends, and one of two lengths.
        (
            {"train_cfg": {"_delete_": True, "by_epoch": True, "max_epochs": 9}},
            ["InfiniteSampler", "train_dataloader.sampler.type=DefaultSampler"],
        ),
        ({"train_cfg.max_epochs": 9}, ["max_iters=200 and max_epochs=9", "_delete_=True"]),
        (
            {"model.test_cfg": {"mode": "slide", "stride": (64, 64)}},
            ["mode='slide' without crop_size"],
        ),
        # metainfo
        (
            {"train_dataloader.dataset.metainfo": {"clases": ("a", "b")}},
            ["train_dataloader.dataset.metainfo has 'clases'", "'classes'"],
        ),
        ({"val_dataloader.dataset.metainfo": {"pallete": []}}, ["'pallete'", "'palette'"]),
        ({"train_dataloader.dataset.metainfo": {"CLASSES": ("a",)}}, ["'CLASSES'", "'classes'"]),
        ({"val_dataloader.dataset.metainfo": {"PALETTE": []}}, ["'PALETTE'", "'palette'"]),
        # other names that are looked up
        ({"optim_wrapper.paramwise_cfg.custom_key": {}}, ["'custom_key'", "'custom_keys'"]),
        ({"model.test_cfg.stide": 8}, ["model.test_cfg has 'stide'", "'stride'"]),
        ({"train_dataloader.dataset.metainfo": {"classes": "water"}}, ["('water',)"]),
        (
            {
                "train_dataloader.dataset": {
                    "_delete_": True,
                    "type": "RepeatDataset",
                    "times": 2,
                    "dataset": {"type": "BaseSegDataset", "metainfo": {"classes": "water"}},
                }
            },
            ["train_dataloader.dataset.dataset.metainfo.classes"],
        ),
        # What the first validation would tell.
        (OWN, ["CityscapesScoreMetric", "soil, crop, weed", "'IoUMetric'"]),
        (
            {**OWN, "val_evaluator": {"_delete_": True, "type": "CityscapesMetric"}},
            ["val_evaluator is CityscapesMetric", "soil, crop, weed"],
        ),
        (
            {"default_hooks.checkpoint.save_best": "mIOU"},
            ["save_best is 'mIOU'", "did you mean 'mIoU'"],
        ),
        (
            {"val_evaluator": IOU, "default_hooks.checkpoint.save_best": "miIoU"},
            ["'miIoU'", "aAcc, mAcc, mIoU"],
        ),
        (
            {"val_evaluator": {**IOU, "prefix": "val"}},
            ["save_best is 'mIoU'", "did you mean 'val/mIoU'"],
        ),
        (
            {"custom_hooks": [{"type": "EarlyStoppingHook", "monitor": "mDice"}]},
            ["custom_hooks.0.monitor is 'mDice'"],
        ),
        (
            {
                "default_hooks.checkpoint.save_best": "val_loss",
                "custom_hooks": [{"type": "EMAHook"}],
            },
            ["save_best is 'val_loss'", "'ValidationLossHook'", "custom_hooks"],
        ),
        *(
            ({"custom_hooks": [{"type": kind, "monitor": "mIuO"}]}, ["custom_hooks.0.monitor"])
            for kind in (
                "ResumableEarlyStoppingHook",
                "mmengine.EarlyStoppingHook",
                EarlyStoppingHook,
            )
        ),
        (
            {"default_hooks.early": {"type": "EarlyStoppingHook", "monitor": "mIuO"}},
            ["default_hooks.early.monitor is 'mIuO'"],
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(check, changes, values):
    with pytest.raises(ConfigError) as error:
        check(changes)
    assert all(value in str(error.value) for value in values), error.value


@pytest.mark.parametrize(
    "changes",
    [
        {"default_hooks.checkpoint.save_best": "IoU_category.vehicle"},
        {"default_hooks.checkpoint.save_best": ["mIoU", "auto"]},
        {"default_hooks.checkpoint.save_best": "my_loss"},
        {"default_hooks.checkpoint.save_best": "val_loss",
         "custom_hooks": [{"type": "ValidationLossHook"}]},
        {"default_hooks.checkpoint.save_best": "val_loss", "custom_hooks": [{"type": "Mine"}]},
        {"val_evaluator": [IOU, {"type": "DepthMetric"}]},
        {**OWN, "val_cfg": None, "default_hooks.checkpoint.save_best": None},
        {"val_evaluator": {**IOU, "iou_metrics": ["mFscore"]}, **{
            "default_hooks.checkpoint.save_best": "mRecall"}},
        {"train_dataloader.dataset.metainfo": {"classes": "lists/classes.txt"}},
        {"train_dataloader.dataset.metainfo": {"my_key": 1}},
        {"optim_wrapper.optimizer": {"_delete_": True, "type": "AdamW", "lr": 0.001}},
        # one channel against the background, and weights for it
        {
            "model.decode_head.num_classes": 2,
            "model.decode_head.out_channels": 1,
            "model.decode_head.loss_decode": {"use_sigmoid": True, "class_weight": [2.0]},
        },
        # a head with losses of its own: a weight for "no object", too
        {"model.decode_head": {
            "_delete_": True,
            "type": "SideAdapterCLIPHead",
            "num_classes": 2,
            "loss_decode": [{"type": "CrossEntropyLoss", "class_weight": [1.0, 1.0, 0.1]}],
        }},
        {"param_scheduler": [{"type": "LinearLR", "end": 10, "by_epoch": False}]},
        {"param_scheduler": None},
        *(
            {"param_scheduler": [{"type": "PolyLR", "end": 100, "by_epoch": False}, *later]}
            for later in (
                [{"type": "ConstantLR", "begin": 100, "end": 200, "by_epoch": False}],
                [{"type": "LinearLR", "begin": 100, "end": 150, "by_epoch": False},
                 {"type": "StepLR", "step_size": 9, "begin": 150, "by_epoch": False}],
            )
        ),
        *(
            {"param_scheduler": [
                {"type": "CosineAnnealingLR", "T_max": T_max, "begin": 20, "by_epoch": False}]}
            for T_max in (None, 180, 200)
        ),
        {"param_scheduler": [{"type": "MultiStepLR", "milestones": [99, 199], "by_epoch": False}]},
        # a loop without a length
        {"train_cfg": {"_delete_": True, "type": "MyLoop"},
         "param_scheduler": [{"type": "PolyLR"}, {"type": "PolyLR", "end": 4}]},
        {"param_scheduler": {"_delete_": True, "generator": [{"type": "PolyLR"}]}},
        {"optim_wrapper": {"constructor": "Mine", "optimizer": {"type": "AdamW", "mine": 1}}},
    ],
)  # fmt: skip
def test_what_works_is_not_refused(check, changes):
    assert check(changes) == []


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        (
            {"train_cfg.max_iters": 400},
            ["train_cfg.max_iters is 400", "param_scheduler.0.end is 200", "the last 200"],
        ),
        (
            {"train_cfg.max_iters": 100},
            ["train_cfg.max_iters is 100", "end is 200", "unless it is resumed with more"],
        ),
        *(
            ({"param_scheduler": [{"type": kind, "end": 100, "by_epoch": False}]}, ["end is 100"])
            for kind in ("mmengine.PolyLR", PolyLR)
        ),
        (
            {"param_scheduler": [
                {"type": "PolyLR", "end": 100, "by_epoch": False},
                {"type": "ConstantLR", "begin": 100, "end": 150, "by_epoch": False}]},
            ["param_scheduler.1.end is 150", "the last 50"],
        ),
        *(
            ({"param_scheduler": [
                {"type": "CosineAnnealingLR", "T_max": T_max, "by_epoch": False}]}, values)
            for T_max, values in (
                (6, ["param_scheduler.0.T_max is 6", "200 iterations", "rises again"]),
                (400, ["param_scheduler.0.T_max is 400", "unless it is resumed"]),
            )
        ),
        (
            {"param_scheduler": [
                {"type": "MultiStepLR", "milestones": [60000, 72000], "by_epoch": False}]},
            ["param_scheduler.0.milestones ends at 72000", "max_iters is 200"],
        ),
        (
            {"param_scheduler": [{"type": "PolyLR", "end": 200}]},
            ["will not change", "param_scheduler.0.by_epoch=False"],
        ),
        (
            {"train_cfg": {"_delete_": True, "by_epoch": True, "max_epochs": 9},
             "train_dataloader.sampler.type": "DefaultSampler",
             "param_scheduler": [{"type": "CosineAnnealingLR", "T_max": 5, "end": 5}]},
            ["train_cfg.max_epochs is 9", "end is 5"],
        ),
        ({"default_hooks.checkpoint.by_epoch": True}, ["default_hooks.checkpoint.by_epoch=False"]),
        ({"val_cfg": None}, ["default_hooks.checkpoint.save_best is 'mIoU'", "val_cfg is None"]),
        (
            {"val_cfg": None, "default_hooks.checkpoint.save_best": None,
             "custom_hooks": [{"type": "EarlyStoppingHook", "monitor": "loss"}]},
            ["custom_hooks.0.monitor is 'loss'", "val_cfg is None"],
        ),
        (
            {
                "val_evaluator": IOU,
                "val_dataloader.dataset.metainfo": {"classes": ("water",)},
            },
            ["['water']", "num_classes=2"],
        ),
        (
            {"model.data_preprocessor.size": (256, 256)},
            ["size is (256, 256)", "pipeline.0.crop_size is (128, 256)", "50%"],
        ),
    ],
)  # fmt: skip
def test_what_disagrees_is_told(check, changes, values):
    (warning,) = check(changes)
    assert all(value in warning for value in values), warning


@pytest.mark.slow
def test_stock_configs():
    """Of all of mmsegmentation's configs, five disagree with themselves."""
    told = {}
    for path in Path(mmseg.__file__).with_name(".mim").joinpath("configs").rglob("*.py"):
        if "_base_" not in path.parts and "mask2former" not in path.parts:  # which needs mmdet
            warnings = check_config(load_config(str(path)))
            told.update({path.stem: warnings} if warnings else {})
    assert {name.split("_")[0]: warnings[0].split()[0] for name, warnings in told.items()} == {
        "beit-large": "train_cfg.max_iters",
        "deeplabv3plus": "model.data_preprocessor.size",
        "knet-s3": "model.data_preprocessor.size",
        "ocrnet": "train_cfg.max_iters",
    }
    assert len(told) == 5


def test_a_config_of_mmsegmentation_0():
    old = {"model": {}, "optimizer": {"type": "SGD"}, "lr_config": {}, "data": {}, "runner": {}}
    with pytest.raises(ConfigError, match=r"optimizer is optim_wrapper.optimizer"):
        check_config(Config(old))
