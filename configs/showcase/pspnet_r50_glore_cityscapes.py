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

# Check folders and labels.
load = dict(type="LoadCheckedAnnotations")
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
tta_pipeline = _base_.tta_pipeline
train_pipeline[1] = test_pipeline[2] = tta_pipeline[1]["transforms"][2][0] = load
train_dataloader = dict(dataset=dict(type="CheckedCityscapesDataset", pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type="CheckedCityscapesDataset", pipeline=test_pipeline))
test_dataloader = val_dataloader
