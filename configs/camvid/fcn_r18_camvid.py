"""The plain dilated FCN of Table 3's first row, small, on CamVid: no multi-grid, no unit."""

_base_ = "../fcn_r18_glore_camvid.py"

model = dict(backbone=dict(multi_grid=None), decode_head=dict(num_units=0))
