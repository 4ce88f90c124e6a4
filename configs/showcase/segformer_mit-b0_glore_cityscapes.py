"""SegFormer's backbone MiT-B0 with a GloRe head on its four feature maps."""

_base_ = "mmseg::segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024.py"

custom_imports = dict(imports=["glore_seg"], allow_failed_imports=False)

model = dict(
    decode_head=dict(type="GloReHead", input_transform="resize_concat", num_nodes=64, kernel_size=1)
)

# Check folders and labels.
load = dict(type="LoadCheckedAnnotations")
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
tta_pipeline = _base_.tta_pipeline
train_pipeline[1] = test_pipeline[2] = tta_pipeline[1]["transforms"][2][0] = load
train_dataloader = dict(dataset=dict(type="CheckedCityscapesDataset", pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type="CheckedCityscapesDataset", pipeline=test_pipeline))
test_dataloader = val_dataloader
