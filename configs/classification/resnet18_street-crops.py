"""A pre-activation ResNet-18 from scratch on crops of street scenes (docs/classification.md).

For a CPU. `projects.synthetic_data.street_scenes` and `projects.synthetic_data.object_crops` write
the crops, one folder per class.
"""

_base_ = "mmpretrain::resnet/resnet18_8xb32_in1k.py"

custom_imports = dict(imports=["glore_seg"], allow_failed_imports=False)

num_classes = 10
data_preprocessor = dict(num_classes=num_classes)
model = dict(
    backbone=dict(_delete_=True, type="GloRePreActNet", arch="resnet18"),
    head=dict(num_classes=num_classes, topk=(1,)),
)

# No random crops: the object in the center is the class.
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackInputs"),
]
test_pipeline = [dict(type="LoadImageFromFile"), dict(type="PackInputs")]
folder = dict(_delete_=True, type="CustomDataset", data_root="data/street_crops")
train_dataloader = dict(
    num_workers=0, dataset=dict(**folder, data_prefix="train", pipeline=train_pipeline)
)
val_dataloader = dict(
    batch_size=100,
    num_workers=0,
    dataset=dict(**folder, data_prefix="val", pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(topk=(1,))
test_evaluator = val_evaluator

max_epochs = 3
optim_wrapper = dict(optimizer=dict(lr=0.05, weight_decay=5e-4))
param_scheduler = dict(
    _delete_=True,
    type="CosineAnnealingLR",
    T_max=max_epochs,
    by_epoch=True,
    convert_to_iter_based=True,
)
train_cfg = dict(max_epochs=max_epochs)
auto_scale_lr = dict(base_batch_size=32)

default_hooks = dict(
    logger=dict(interval=15), checkpoint=dict(max_keep_ckpts=1, save_best="accuracy/top1")
)
