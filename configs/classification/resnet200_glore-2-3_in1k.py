"""ResNet-200 with 2 GloRe units on Res3 and 3 on Res4: Table 2 (79.7 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(arch="resnet200", num_units=(0, 2, 3, 0)))
