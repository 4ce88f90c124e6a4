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

# Check folders and labels.
load = dict(type="LoadCheckedAnnotations")
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
tta_pipeline = _base_.tta_pipeline
train_pipeline[1] = test_pipeline[2] = tta_pipeline[1]["transforms"][2][0] = load
train_dataloader = dict(dataset=dict(type="CheckedCityscapesDataset", pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type="CheckedCityscapesDataset", pipeline=test_pipeline))
test_dataloader = val_dataloader
