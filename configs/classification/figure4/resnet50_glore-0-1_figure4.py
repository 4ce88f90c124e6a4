"""ResNet-50 with 0 and 1 GloRe units on Res3 and Res4: Figure 4.

Without zero initialization, as there for units and blocks alike (Section 4.2, footnote 4).
"""

_base_ = "../resnet50_in1k.py"

model = dict(backbone=dict(num_units=(0, 0, 1, 0), unit_cfg=dict(zero_init=False)))
