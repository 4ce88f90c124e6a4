"""SegFormer's backbone MiT-B0 with a GloRe head on its four feature maps."""

_base_ = "mmseg::segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024.py"

custom_imports = dict(imports=["glore_seg"], allow_failed_imports=False)

model = dict(
    decode_head=dict(type="GloReHead", input_transform="resize_concat", num_nodes=64, kernel_size=1)
)
