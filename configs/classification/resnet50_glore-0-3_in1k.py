"""ResNet-50 with 3 GloRe units on Res4: Table 2 (78.4 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(num_units=(0, 0, 3, 0)))
