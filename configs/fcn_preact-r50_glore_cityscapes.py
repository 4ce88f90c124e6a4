"""FCN with one GloRe unit on a pre-activation ResNet-50 pretrained by configs/classification.

`init_cfg` loads the backbone from the classifier's checkpoint.
"""

_base_ = "./fcn_r50_glore_cityscapes.py"

model = dict(
    pretrained=None,
    backbone=dict(
        _delete_=True,
        type="GloRePreActNet",
        arch="resnet50",
        output_stride=8,
        multi_grid=(4, 8, 16),
        out_indices=(0, 1, 2, 3),
        norm_cfg=dict(type="SyncBN"),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="work_dirs/resnet50_in1k/epoch_100.pth",
            prefix="backbone.",
        ),
    ),
)
