"""mmseg's non-local block (embedded Gaussian) instead of the unit, on CamVid."""

_base_ = "../fcn_r18_glore_camvid.py"

unit_options = ("type", "num_units", "num_nodes", "num_states", "num_convs")
model = dict(
    decode_head=dict(
        _delete_=True,
        type="NLHead",
        **{k: v for k, v in _base_.model.decode_head.items() if k not in unit_options},
    )
)
