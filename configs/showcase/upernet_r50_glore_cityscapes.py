"""mmseg's UPerNet with a GloRe unit as a plugin inside every block of Res4."""

_base_ = "mmseg::upernet/upernet_r50_4xb2-80k_cityscapes-512x1024.py"

custom_imports = dict(imports=["glore_seg"], allow_failed_imports=False)

model = dict(
    backbone=dict(
        plugins=[
            dict(
                cfg=dict(type="GloReUnit", num_nodes=64, norm_cfg=dict(type="SyncBN")),
                stages=(False, False, True, False),
                position="after_conv3",
            )
        ]
    )
)
