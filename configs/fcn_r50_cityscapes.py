"""The plain dilated FCN-ResNet-50 of Table 3 (75.79 % mIoU): no multi-grid, no unit."""

_base_ = "./fcn_r50_glore_cityscapes.py"

model = dict(backbone=dict(multi_grid=None), decode_head=dict(num_units=0))
