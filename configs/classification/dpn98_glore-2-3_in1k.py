"""DPN-98 with 2 GloRe units on Res3 and 3 on Res4: Table 2 (80.2 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(arch="dpn98", num_units=(0, 2, 3, 0)), head=dict(in_channels=2688))
