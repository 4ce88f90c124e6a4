"""DPN-131 on ImageNet: Table 2 (80.1 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(arch="dpn131"), head=dict(in_channels=2688))
