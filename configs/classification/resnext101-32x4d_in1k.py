"""ResNeXt-101 32x4d on ImageNet: Table 2 (78.8 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(arch="resnext101-32x4d"))
