"""3D ResNet-101 (lite) with 2 + 3 GloRe units on Kinetics-400, 8 frames at interval 8: Table 5."""

_base_ = "./r50_glore_kinetics400.py"

model = dict(backbone=dict(depth=101))
