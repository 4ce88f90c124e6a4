"""Table 4 with ResNet-101 (80.9 % IoU class): trained on train and val, for the test server.

`tools/submit.py` writes the archive for the server; `tools/test.py` with this config only writes
label ids.
"""

_base_ = "./fcn_r50_glore_cityscapes-trainval.py"

model = dict(pretrained="open-mmlab://resnet101_v1c", backbone=dict(depth=101))
test_evaluator = dict(output_dir="work_dirs/cityscapes_test_r101")
