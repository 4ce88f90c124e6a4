"""ResNet-50 with 0 and 1 non-local blocks on Res3 and Res4: Figure 4.

Without zero initialization, as there for units and blocks alike (Section 4.2, footnote 4).
"""

_base_ = "../resnet50_in1k.py"

model = dict(
    backbone=dict(
        unit_type="nonlocal", num_units=(0, 0, 1, 0), unit_cfg=dict(_delete_=True, zero_init=False)
    )
)
