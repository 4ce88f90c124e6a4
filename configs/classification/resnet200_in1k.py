"""ResNet-200 on ImageNet: Table 2 (78.3 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(arch="resnet200"))
