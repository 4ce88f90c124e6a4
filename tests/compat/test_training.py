"""Train, checkpoint, resume, validate and test a small network of mmsegmentation's own parts.

Runs with OpenMMLab's packages and with their maintained forks.
"""

import numpy as np
import pytest
import torch
from PIL import Image

from glore_seg import compat

compat.apply()

from mmengine.config import Config  # noqa: E402
from mmengine.runner import Runner  # noqa: E402

CONFIG = """
_base_ = ["mmseg::_base_/default_runtime.py"]
norm_cfg = dict(type="BN", momentum=0.5)
pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations"),
    dict(type="PackSegInputs"),
]
dataset = dict(
    type="BaseSegDataset",
    data_root={root!r},
    data_prefix=dict(img_path="img", seg_map_path="ann"),
    img_suffix=".png",
    metainfo=dict(classes=("dark", "bright"), palette=[[0, 0, 0], [255, 255, 255]]),
    pipeline=pipeline,
)
train_dataloader = dict(
    batch_size=2, num_workers=0, dataset=dataset, sampler=dict(type="InfiniteSampler", shuffle=True)
)
val_dataloader = dict(
    batch_size=1, num_workers=0, dataset=dataset, sampler=dict(type="DefaultSampler", shuffle=False)
)
test_dataloader = val_dataloader
val_evaluator = dict(type="IoUMetric", iou_metrics=["mIoU"])
test_evaluator = val_evaluator
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[127.5] * 3,
        std=[127.5] * 3,
        size=(32, 32),
        seg_pad_val=255,
    ),
    backbone=dict(
        type="ResNet",
        depth=18,
        stem_channels=8,
        base_channels=8,
        num_stages=2,
        strides=(1, 1),
        dilations=(1, 1),
        out_indices=(1,),
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(
        type="FCNHead",
        in_channels=16,
        in_index=0,
        channels=8,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.0,
        num_classes=2,
        norm_cfg=norm_cfg,
        align_corners=False,
    ),
    test_cfg=dict(mode="whole"),
)
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="AdamW", lr=0.02)
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=1e-4, begin=0, end=30, by_epoch=False)]
train_cfg = dict(type="IterBasedTrainLoop", max_iters=30, val_interval=15)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
default_hooks = dict(
    logger=dict(type="LoggerHook", interval=2, log_metric_by_epoch=False),
    checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=15, save_best="mIoU"),
)
visualizer = None
vis_backends = None
randomness = dict(seed=1)
log_level = "ERROR"
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four pictures, each with a bright rectangle on a dark ground."""
    root = tmp_path_factory.mktemp("data")
    for name in ("img", "ann"):
        (root / name).mkdir()
    noise = np.random.default_rng(0)
    for index in range(4):
        label = np.zeros((32, 32), np.uint8)
        label[4 + index : 20 + index, 6:26] = 1
        image = (label * 180 + 30)[..., None] + noise.integers(0, 20, (32, 32, 3))
        Image.fromarray(label).save(root / "ann" / f"{index}.png")
        Image.fromarray(image.astype(np.uint8)).save(root / "img" / f"{index}.png")
    return root


@pytest.fixture(autouse=True)
def one_thread():
    """Threads of so small a network wait for each other more than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def runner(data, folder, **changes):
    config = Config.fromstring(CONFIG.format(root=str(data)), ".py")
    config.merge_from_dict({"work_dir": str(folder), "experiment_name": folder.name, **changes})
    return Runner.from_cfg(config)


@pytest.mark.slow
def test_train_resume_and_test(data, tmp_path):
    whole = runner(data, tmp_path / "whole")
    whole.train()
    saved = sorted(path.name for path in (tmp_path / "whole").glob("*.pth"))
    assert saved[1:] == ["iter_15.pth", "iter_30.pth"]
    assert saved[0].startswith("best_mIoU_iter_")

    start = str(tmp_path / "whole" / "iter_15.pth")
    resumed = runner(data, tmp_path / "resumed", load_from=start, resume=True)
    resumed.train()
    assert resumed.iter == whole.iter == 30
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], value, rtol=1e-5, atol=1e-6)

    path = str(tmp_path / "resumed" / "iter_30.pth")
    tested = runner(data, tmp_path / "tested", load_from=path)
    scores = tested.test()
    assert scores["mIoU"] == resumed.message_hub.get_scalar("val/mIoU").current()
    # A bright rectangle on a dark ground takes few steps to learn.
    assert scores["mIoU"] > 80
