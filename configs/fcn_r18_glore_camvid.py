"""A small FCN-ResNet-18 of half width with one unit, from scratch on CamVid at 180 x 240.

For two CPU cores; results in `docs/camvid.md`. `tools/dataset_converters/camvid.py` converts
CamVid to the layout of Cityscapes.
"""

_base_ = "./fcn_r50_glore_cityscapes.py"

crop_size = (180, 240)
classes = (
    "road",
    "sidewalk",
    "building",
    "fence",
    "pole",
    "traffic sign",
    "vegetation",
    "sky",
    "person",
    "rider",
    "car",
)
model = dict(
    pretrained=None,
    data_preprocessor=dict(size=crop_size),
    backbone=dict(
        depth=18,
        base_channels=32,
        stem_channels=32,
        multi_grid=(4, 8),
        norm_cfg=dict(type="BN"),
    ),
    decode_head=dict(
        in_channels=256,
        channels=128,
        num_nodes=32,
        num_states=64,
        num_classes=len(classes),
        # Poles, signs and people are few pixels: learn from uncertain pixels.
        sampler=dict(type="OHEMPixelSampler", thresh=0.7, min_kept=40_000),
        norm_cfg=dict(type="BN"),
    ),
)

train_pipeline = [
    dict(
        type="LoadRandomResizeCropFlip",
        scale=(240, 180),
        ratio_range=(0.75, 2.0),
        crop_size=crop_size,
        cat_max_ratio=0.75,
        flip_prob=0.5,
    ),
    dict(type="FastPhotoMetricDistortion"),
    dict(type="FastPackSegInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(240, 180), keep_ratio=True),
    dict(type="LoadCheckedAnnotations"),
    dict(type="PackSegInputs"),
]
# Relative to the training size, which is half the size of the images.
tta_pipeline = _base_.tta_pipeline
tta_pipeline[1]["transforms"][0] = [
    dict(type="Resize", scale_factor=ratio / 2, keep_ratio=True) for ratio in _base_.img_ratios
]
data = dict(data_root="data/camvid/", metainfo=dict(classes=classes))
train_dataloader = dict(num_workers=2, dataset=dict(**data, pipeline=train_pipeline))
val_dataloader = dict(num_workers=2, dataset=dict(**data, pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(instances=False)
test_evaluator = val_evaluator

max_iters = 2_000
optim_wrapper = dict(optimizer=dict(lr=0.05, weight_decay=5e-4))
param_scheduler = [
    dict(type="PolyLR", eta_min=0.0, power=0.9, begin=0, end=max_iters, by_epoch=False)
]
train_cfg = dict(max_iters=max_iters, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500))
