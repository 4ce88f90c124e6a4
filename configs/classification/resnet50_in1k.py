"""Pre-activation ResNet-50 on ImageNet: first row of Table 2 (76.2 % top-1).

The batch of 2,048 is for eight processes; on one add `--cfg-options
optim_wrapper.accumulative_counts=8`. The steps, which the paper does not give, are
mmpretrain's.
"""

_base_ = "mmpretrain::resnet/resnet50_8xb32_in1k.py"

custom_imports = dict(imports=["glore_seg"], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True,
        type="GloRePreActNet",
        arch="resnet50",
        # As published, for images of one size. Set True to pretrain the units of a segmentation
        # network, whose images vary in size (docs/imagenet.md).
        unit_cfg=dict(normalize=False),
    )
)

# Section 4.1: SGD, batch 2,048, from 0.4, times 0.1 at steps, decay 2e-4.
train_dataloader = dict(batch_size=256)
val_dataloader = dict(batch_size=64)
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=0.4, weight_decay=2e-4))
auto_scale_lr = dict(enable=False, base_batch_size=2048)

default_hooks = dict(checkpoint=dict(max_keep_ckpts=3, save_best="accuracy/top1", rule="greater"))
visualizer = dict(vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")])
