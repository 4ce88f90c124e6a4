"""The same with one unit in the middle of Res4 and 128 nodes, as in Figure 7."""

_base_ = "./resnet18_street-crops.py"

model = dict(
    backbone=dict(num_units=(0, 0, 1, 0), unit_cfg=dict(num_nodes=128, num_states=128)),
)
