"""ResNet-50 with 0 and 3 pooled non-local blocks on Res3 and Res4.

What Figure 4 leaves out: non-local blocks as cheap as GloRe units.
"""

_base_ = "../resnet50_in1k.py"

model = dict(
    backbone=dict(
        unit_type="nonlocal-pooled",
        num_units=(0, 0, 3, 0),
        unit_cfg=dict(_delete_=True, zero_init=False),
    )
)
