"""mmseg's PSPNet head on the same backbone, on CamVid."""

_base_ = "../fcn_r18_glore_camvid.py"

unit_options = ("type", "num_units", "num_nodes", "num_states", "num_convs", "concat_input")
model = dict(
    decode_head=dict(
        _delete_=True,
        type="PSPHead",
        pool_scales=(1, 2, 3, 6),
        **{k: v for k, v in _base_.model.decode_head.items() if k not in unit_options},
    )
)
