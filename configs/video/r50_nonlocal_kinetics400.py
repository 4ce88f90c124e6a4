"""3D ResNet-50 (lite) with 2 + 3 non-local blocks on Kinetics-400: the baseline of Table 5."""

_base_ = "./r50_glore_kinetics400.py"

model = dict(backbone=dict(unit_type="nonlocal-pooled"))
