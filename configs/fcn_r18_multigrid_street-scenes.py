"""The network of `make demo` without its unit, on the same street scenes."""

_base_ = "./fcn_r18_glore_street-scenes.py"

model = dict(decode_head=dict(num_units=0))
