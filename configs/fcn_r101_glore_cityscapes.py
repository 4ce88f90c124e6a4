"""FCN-ResNet-101, multi-grid, one unit, trained on train and evaluated on val."""

_base_ = "./fcn_r50_glore_cityscapes.py"

model = dict(pretrained="open-mmlab://resnet101_v1c", backbone=dict(depth=101))
