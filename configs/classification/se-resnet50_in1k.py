"""SE-ResNet-50 on ImageNet: Table 2 (77.2 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(arch="se-resnet50"))

# Section 4.1: SE networks start from 0.3.
optim_wrapper = dict(optimizer=dict(lr=0.3))
