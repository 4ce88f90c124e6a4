"""mmseg's DeepLabv3 head on the same backbone, on CamVid.

Its rates 12, 24, 36 are for feature maps of 97 x 97; the 23 x 30 here need a quarter of that.
"""

_base_ = "../fcn_r18_glore_camvid.py"

unit_options = ("type", "num_units", "num_nodes", "num_states", "num_convs", "concat_input")
model = dict(
    decode_head=dict(
        _delete_=True,
        type="ASPPHead",
        dilations=(1, 3, 6, 9),
        **{k: v for k, v in _base_.model.decode_head.items() if k not in unit_options},
    )
)
