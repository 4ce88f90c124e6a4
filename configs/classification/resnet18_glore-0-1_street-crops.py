"""ResNet-18 with one unit of 128 nodes in the middle of Res4, as in Figure 7."""

_base_ = "./resnet18_street-crops.py"

model = dict(
    backbone=dict(num_units=(0, 0, 1, 0), unit_cfg=dict(num_nodes=128, num_states=128)),
)
