"""DPN-98 on ImageNet: Table 2 (79.8 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(arch="dpn98"), head=dict(in_channels=2688))
