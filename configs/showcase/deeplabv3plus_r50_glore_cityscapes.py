"""mmseg's DeepLabV3+ on a ResNet-50 with GloRe units between blocks: two on Res3, three on Res4."""

_base_ = "mmseg::deeplabv3plus/deeplabv3plus_r50-d8_4xb2-80k_cityscapes-512x1024.py"

custom_imports = dict(imports=["glore_seg"], allow_failed_imports=False)

model = dict(backbone=dict(type="GloReResNet", variant="v1c", num_units=(0, 2, 3, 0)))

# Check folders and labels.
load = dict(type="LoadCheckedAnnotations")
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
tta_pipeline = _base_.tta_pipeline
train_pipeline[1] = test_pipeline[2] = tta_pipeline[1]["transforms"][2][0] = load
train_dataloader = dict(dataset=dict(type="CheckedCityscapesDataset", pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type="CheckedCityscapesDataset", pipeline=test_pipeline))
test_dataloader = val_dataloader
