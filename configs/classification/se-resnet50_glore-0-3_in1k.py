"""SE-ResNet-50 with 3 GloRe units on Res4: Table 2 (78.7 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(arch="se-resnet50", num_units=(0, 0, 3, 0)))

# Section 4.1: SE networks start from 0.3.
optim_wrapper = dict(optimizer=dict(lr=0.3))
