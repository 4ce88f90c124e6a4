"""FCN, multi-grid, two units in a row, Table 3's last row, small, on CamVid."""

_base_ = "../fcn_r18_glore_camvid.py"

model = dict(decode_head=dict(num_units=2))
