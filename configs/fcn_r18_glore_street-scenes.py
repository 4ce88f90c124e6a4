"""A small FCN-ResNet-18 of half width with one unit on synthetic street scenes: `make demo`.

`python -m projects.synthetic_data.street_scenes data/street_scenes` writes the dataset.
"""

_base_ = "./fcn_r50_glore_cityscapes.py"

crop_size = (128, 256)
norm_cfg = dict(type="BN")
model = dict(
    pretrained=None,
    data_preprocessor=dict(size=crop_size),
    backbone=dict(
        depth=18, base_channels=32, stem_channels=32, multi_grid=(4, 8), norm_cfg=norm_cfg
    ),
    decode_head=dict(in_channels=256, channels=128, num_nodes=32, num_states=64, norm_cfg=norm_cfg),
)

train_pipeline = [
    dict(
        type="LoadRandomResizeCropFlip",
        scale=(256, 128),
        ratio_range=(1.0, 1.5),
        crop_size=crop_size,
        cat_max_ratio=0.75,
        flip_prob=0.5,
    ),
    dict(type="FastPackSegInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadCheckedAnnotations"),
    dict(type="PackSegInputs"),
]
data_root = "data/street_scenes/"
train_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

max_iters = 200
optim_wrapper = dict(optimizer=dict(lr=0.05, weight_decay=5e-4))
param_scheduler = [
    dict(type="PolyLR", eta_min=0.0, power=0.9, begin=0, end=max_iters, by_epoch=False)
]
train_cfg = dict(max_iters=max_iters, val_interval=100)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=100))
