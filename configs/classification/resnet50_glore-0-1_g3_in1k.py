"""ResNet-50 with one GloRe unit of three graph convolutions on Res4: Table 1 (77.66 % top-1)."""

_base_ = "./resnet50_in1k.py"

model = dict(backbone=dict(num_units=(0, 0, 1, 0), unit_cfg=dict(num_graph_convs=3)))
