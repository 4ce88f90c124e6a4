"""`r50_glore_kinetics400.py` on folders of frames, `img_00001.jpg` and so on, instead of videos."""

_base_ = "./r50_glore_kinetics400.py"

# The list says how many frames there are, so that no file is opened before they are drawn.
decode = [dict(type="CheckedFrameDecode")]
train_pipeline = [_base_.train_pipeline[1], *decode, *_base_.train_pipeline[3:]]
val_pipeline = [_base_.val_pipeline[1], *decode, *_base_.val_pipeline[3:]]
test_pipeline = [_base_.test_pipeline[1], *decode, *_base_.test_pipeline[3:]]

train_frames = dict(
    type="CheckedRawframeDataset",
    ann_file="data/kinetics400/kinetics400_train_list_rawframes.txt",
    data_prefix=dict(_delete_=True, img="data/kinetics400/rawframes_train"),
)
val_frames = dict(
    type="CheckedRawframeDataset",
    ann_file="data/kinetics400/kinetics400_val_list_rawframes.txt",
    data_prefix=dict(_delete_=True, img="data/kinetics400/rawframes_val"),
)
train_dataloader = dict(dataset=dict(**train_frames, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**val_frames, pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(**val_frames, pipeline=test_pipeline))
