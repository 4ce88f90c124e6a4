"""The released classifier as a head of mmaction2."""

import pytest
import torch

pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")

from mmaction.models.heads import I3DHead
from mmaction.structures import ActionDataSample

from glore_seg.models.heads.glore_video_head import GloReVideoHead


def heads():
    options = {"num_classes": 5, "in_channels": 16, "average_clips": "prob"}
    ours, theirs = GloReVideoHead(**options).eval(), I3DHead(**options).eval()
    ours.init_weights()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def test_scores_are_those_of_i3d_head():
    ours, theirs = heads()
    features = torch.randn(2, 16, 2, 3, 3)
    assert torch.equal(ours(features, num_segs=1), theirs(features, num_segs=1))


def test_initialization_as_released():
    head = heads()[0]
    limit = (6 / (16 + 5)) ** 0.5
    assert 0.8 * limit < head.fc_cls.weight.abs().max() <= limit
    assert head.fc_cls.bias.eq(0).all()


def test_accuracy_under_bfloat16():
    head = heads()[0]
    features = torch.randn(2, 16, 1, 2, 2)
    samples = [ActionDataSample().set_gt_label(label) for label in (0, 3)]
    with torch.autocast("cpu", torch.bfloat16):
        losses = head.loss(features, samples)
        predicted = head.predict(features, samples)
    assert losses["loss_cls"].dtype == torch.float32
    assert 0 <= losses["top1_acc"] <= 1
    assert predicted[0].pred_score.dtype == torch.float32
