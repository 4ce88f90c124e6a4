"""FCN-ResNet-50, multi-grid, one GloRe unit on Cityscapes: Table 3's best row (78.25 % mIoU).

The batch of 8 is for one process; on four GPUs add
`--cfg-options train_dataloader.batch_size=2`.
"""

_base_ = "mmseg::fcn/fcn_r50-d8_4xb2-80k_cityscapes-512x1024.py"

custom_imports = dict(imports=["glore_seg"], allow_failed_imports=False)

crop_size = (768, 768)
model = dict(
    data_preprocessor=dict(size=crop_size),
    # mmseg takes the dilations: (1, 2, 4) of DeepLabv3 at output stride 8.
    backbone=dict(type="GloReResNet", variant="v1c", multi_grid=(4, 8, 16)),
    decode_head=dict(
        type="GloReHead", num_units=1, num_nodes=64, num_states=128, concat_input=False
    ),
    auxiliary_head=None,
)

train_pipeline = [
    dict(
        type="LoadRandomResizeCropFlip",
        scale=(2048, 1024),
        ratio_range=(0.5, 2.0),
        crop_size=crop_size,
        cat_max_ratio=0.75,
        flip_prob=0.5,
    ),
    dict(type="FastPhotoMetricDistortion"),
    dict(type="FastPackSegInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(2048, 1024), keep_ratio=True),
    dict(type="LoadCheckedAnnotations"),
    dict(type="PackSegInputs"),
]
# The largest scale first, before there is a sum in memory (docs/tta.md).
img_ratios = [2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5]
tta_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="LazyTestTimeAug",
        transforms=[
            [dict(type="Resize", scale_factor=ratio, keep_ratio=True) for ratio in img_ratios],
            [dict(type="RandomFlip", prob=prob, direction="horizontal") for prob in (0.0, 1.0)],
            [dict(type="LoadCheckedAnnotations")],
            [dict(type="PackSegInputs")],
        ],
    ),
]
tta_model = dict(_delete_=True, type="AccumulatingSegTTAModel")
train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    dataset=dict(type="CheckedCityscapesDataset", pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(type="CheckedCityscapesDataset", pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type="CityscapesScoreMetric")
test_evaluator = val_evaluator

# Section 4.1: poly from 0.006 with power 0.9, batch 8. Momentum and decay are not in the paper.
max_iters = 80_000
optim_wrapper = dict(optimizer=dict(lr=0.006, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type="PolyLR", eta_min=0.0, power=0.9, begin=0, end=max_iters, by_epoch=False)
]
train_cfg = dict(max_iters=max_iters, val_interval=4_000)
auto_scale_lr = dict(enable=False, base_batch_size=8)

default_hooks = dict(
    checkpoint=dict(interval=4_000, max_keep_ckpts=3, save_best="mIoU", rule="greater")
)
visualizer = dict(vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")])
