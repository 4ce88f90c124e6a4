"""FCN-ResNet-50 with multi-grid and no unit: the second row of Table 3 (76.45 % mIoU)."""

_base_ = "./fcn_r50_glore_cityscapes.py"

model = dict(decode_head=dict(num_units=0))
