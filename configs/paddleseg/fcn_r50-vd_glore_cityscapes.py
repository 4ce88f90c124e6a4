"""PaddleSeg's GloRe on ResNet-50-vd (78.26 % mIoU there), for its converted weights.

`python tools/model_converters/convert.py paddleseg model.pdparams glore_r50-vd.pth` converts them.
"""

_base_ = "../fcn_r50_glore_cityscapes.py"

norm_cfg = dict(type="SyncBN", requires_grad=True)
model = dict(
    pretrained=None,
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3),
    backbone=dict(variant="v1d", multi_grid=(4, 4, 4), contract_dilation=False),
    decode_head=dict(
        num_convs=1, kernel_size=1, unit_cfg=dict(act_position="after", normalize=False)
    ),
    auxiliary_head=dict(
        _delete_=True,
        type="FCNHead",
        in_channels=1024,
        in_index=2,
        channels=256,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", use_sigmoid=False, loss_weight=0.4),
    ),
)
