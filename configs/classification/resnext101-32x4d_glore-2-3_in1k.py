"""ResNeXt-101 32x4d with 2 GloRe units on Res3 and 3 on Res4: Table 2 (79.8 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(arch="resnext101-32x4d", num_units=(0, 2, 3, 0)))
