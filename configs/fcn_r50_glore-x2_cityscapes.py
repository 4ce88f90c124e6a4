"""FCN-ResNet-50, multi-grid, two units in a row: the last row of Table 3 (77.84 % mIoU)."""

_base_ = "./fcn_r50_glore_cityscapes.py"

model = dict(decode_head=dict(num_units=2))
