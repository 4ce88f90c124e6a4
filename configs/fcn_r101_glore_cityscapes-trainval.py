"""Table 4 with ResNet-101 (80.9 % IoU class): trained on train and val, for the test server.

`tools/test.py` writes the label ids of the test split to `work_dirs/cityscapes_test_r101`.
"""

_base_ = "./fcn_r50_glore_cityscapes-trainval.py"

model = dict(pretrained="open-mmlab://resnet101_v1c", backbone=dict(depth=101))
test_evaluator = dict(output_dir="work_dirs/cityscapes_test_r101")
