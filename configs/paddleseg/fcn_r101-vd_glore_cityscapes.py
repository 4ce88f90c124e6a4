"""PaddleSeg's GloRe on ResNet-101-vd, for its converted weights."""

_base_ = "./fcn_r50-vd_glore_cityscapes.py"

model = dict(backbone=dict(depth=101))
