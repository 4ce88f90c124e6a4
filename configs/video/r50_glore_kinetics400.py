"""3D ResNet-50 (lite) with 2 + 3 GloRe units on Kinetics-400, 8 frames at interval 8: Table 5.

The batch of 64 is for one process; on eight GPUs add `--cfg-options train_dataloader.batch_size=8`.
"""

_base_ = "mmaction::recognition/slowonly/slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb.py"

# All but the first need mmaction2; `import glore_seg` does not import them.
custom_imports = dict(
    imports=[
        "glore_seg",
        "glore_seg.datasets.video.dataset",
        "glore_seg.evaluation.metrics.checked_acc_metric",
        "glore_seg.models.heads.glore_video_head",
    ],
    allow_failed_imports=False,
)

model = dict(
    # The released mean, and its 1 / 0.0167, on 0 to 255.
    data_preprocessor=dict(mean=[124, 117, 104], std=[59.88, 59.88, 59.88]),
    # `pretrained` takes ImageNet weights of the same 2D network, which are inflated.
    backbone=dict(
        _delete_=True,
        type="GloReVideoResNet",
        depth=50,
        num_units=(0, 2, 3, 0),
        pretrained=None,
    ),
    cls_head=dict(type="GloReVideoHead"),
)

train_pipeline = [
    dict(type="CheckedVideoInit"),
    dict(type="SampleFrames", clip_len=8, frame_interval=8, keep_tail_frames=True),
    dict(type="CheckedVideoDecode"),
    dict(type="ClipRandomScale", short_side=(224, 340), factor_range=(0.8, 1.25)),
    dict(type="RandomCrop", size=224),
    dict(type="Flip", flip_ratio=0.5),
    dict(type="ClipHLSJitter", hue=15, lightness=35, saturation=25),
    dict(type="ClipNoise", amplitude=20),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs"),
]
# One clip from the middle of the video, for validation, and ten, for the test.
view = [
    dict(type="CheckedVideoDecode"),
    dict(type="Resize", scale=(-1, 256)),
    dict(type="CenterCrop", crop_size=224),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs"),
]
sampling = dict(type="SampleFrames", clip_len=8, frame_interval=8, test_mode=True)
val_pipeline = [dict(type="CheckedVideoInit"), dict(num_clips=1, **sampling), *view]
test_pipeline = [dict(type="CheckedVideoInit"), dict(num_clips=10, **sampling), *view]
batch_size = 64
train_dataloader = dict(
    batch_size=batch_size,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(type="CheckedVideoDataset", pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(type="CheckedVideoDataset", pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(type="CheckedVideoDataset", pipeline=test_pipeline))
val_evaluator = dict(type="CheckedAccMetric")
test_evaluator = val_evaluator

# The released schedule, counted in samples; it has no end, and here it ends after 100 passes.
max_iters = 24_000_000 // batch_size
optim_wrapper = dict(
    _delete_=True,
    optimizer=dict(type="SGD", lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4),
    # Half the rate for the 3x3 convolutions and their norms, no decay on any bias. The longest key
    # that a parameter's name has decides.
    paramwise_cfg=dict(
        custom_keys={
            ".bias": dict(decay_mult=0.0),
            "conv_m2": dict(lr_mult=0.5),
            "conv_m2.bn.bias": dict(lr_mult=0.5, decay_mult=0.0),
        }
    ),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, begin=0, end=1500, by_epoch=False),
    dict(
        type="MultiStepLR",
        milestones=[samples // batch_size for samples in (10_800_000, 15_600_000, 20_400_000)],
        gamma=0.1,
        by_epoch=False,
    ),
]
train_cfg = dict(
    _delete_=True, type="IterBasedTrainLoop", max_iters=max_iters, val_interval=max_iters // 100
)
auto_scale_lr = dict(enable=False, base_batch_size=batch_size)

log_processor = dict(by_epoch=False)
default_hooks = dict(
    checkpoint=dict(
        by_epoch=False,
        interval=max_iters // 100,
        max_keep_ckpts=3,
        save_best="acc/top1",
        rule="greater",
    )
)
visualizer = dict(vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")])
