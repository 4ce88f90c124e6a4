"""`r26_glore_moving-shapes.py` on the middle frame of each clip, repeated: nothing moves.

Its accuracy is that of chance, whether it is trained so or only tested.
"""

_base_ = "./r26_glore_moving-shapes.py"

train_pipeline = _base_.train_pipeline
val_pipeline = _base_.val_pipeline
for pipeline in (train_pipeline, val_pipeline):
    pipeline.insert(2, dict(type="RepeatOneFrame"))

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
