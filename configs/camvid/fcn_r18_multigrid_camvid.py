"""FCN with multi-grid and no unit, Table 3's second row, small, on CamVid."""

_base_ = "../fcn_r18_glore_camvid.py"

model = dict(decode_head=dict(num_units=0))
