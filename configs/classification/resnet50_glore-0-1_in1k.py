"""ResNet-50 with one GloRe unit of one graph convolution on Res4: Table 1 (77.60 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(num_units=(0, 0, 1, 0)))
