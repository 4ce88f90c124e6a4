"""A small 3D ResNet-26 with two GloRe units on videos of moving shapes: minutes on two cores.

`python -m projects.synthetic_data.moving_shapes data/moving_shapes` makes the dataset.
"""

_base_ = "mmaction::_base_/default_runtime.py"

custom_imports = dict(
    imports=[
        "glore_seg.datasets.video.dataset",
        "glore_seg.evaluation.metrics.checked_acc_metric",
        "glore_seg.models.heads.glore_video_head",
    ],
    allow_failed_imports=False,
)

base_channels = 8
model = dict(
    type="Recognizer3D",
    backbone=dict(
        type="GloReVideoResNet", depth=26, num_units=(0, 1, 1, 0), base_channels=base_channels
    ),
    cls_head=dict(
        type="GloReVideoHead",
        num_classes=8,
        in_channels=32 * base_channels,
        dropout_ratio=0.2,
        average_clips="prob",
    ),
    data_preprocessor=dict(
        type="ActionDataPreprocessor",
        mean=[124, 117, 104],
        std=[59.88, 59.88, 59.88],
        format_shape="NCTHW",
    ),
)

crop = 48
clip = dict(type="SampleFrames", clip_len=8, frame_interval=2)
# No mirroring: right would be left.
train_pipeline = [
    dict(type="CheckedVideoInit"),
    dict(**clip, keep_tail_frames=True),
    dict(type="CheckedVideoDecode"),
    dict(type="RandomCrop", size=crop),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs"),
]
val_pipeline = [
    dict(type="CheckedVideoInit"),
    dict(**clip, num_clips=1, test_mode=True),
    dict(type="CheckedVideoDecode"),
    dict(type="CenterCrop", crop_size=crop),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs"),
]

batch_size = 16
dataset = dict(
    type="CheckedVideoDataset",
    data_root="data/moving_shapes/",
    data_prefix=dict(video="videos"),
    metainfo=dict(classes="data/moving_shapes/lists/classes.txt"),
)
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(**dataset, ann_file="lists/train.txt", pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**dataset, ann_file="lists/val.txt", pipeline=val_pipeline, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="CheckedAccMetric", metric_options=dict(top_k_accuracy=dict(topk=(1, 2))))
test_evaluator = val_evaluator

max_iters = 900
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, begin=0, end=50, by_epoch=False),
    dict(type="CosineAnnealingLR", begin=50, end=max_iters, by_epoch=False),
]
train_cfg = dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=300)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")

log_processor = dict(by_epoch=False)
default_hooks = dict(
    logger=dict(interval=50),
    checkpoint=dict(by_epoch=False, interval=300, save_best="acc/top1", rule="greater"),
)
