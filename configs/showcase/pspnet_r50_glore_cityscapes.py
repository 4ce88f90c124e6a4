"""mmseg's PSPNet with a GloRe unit on the backbone's last feature map, by a neck."""

_base_ = "mmseg::pspnet/pspnet_r50-d8_4xb2-80k_cityscapes-512x1024.py"

custom_imports = dict(imports=["glore_seg"], allow_failed_imports=False)

model = dict(
    neck=dict(
        type="GloReNeck",
        in_channels=(256, 512, 1024, 2048),
        levels=(-1,),
        norm_cfg=dict(type="SyncBN"),
        unit_cfg=dict(num_nodes=64, num_states=128),
    )
)
