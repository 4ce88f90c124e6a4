"""Inflated kernels compute on a static clip what the 2D network computes on the image."""

import torch
from torch import nn

from glore_seg.checkpoints import compare_state_dicts, inflate


def test_static_clip_gives_the_features_of_the_image():
    torch.manual_seed(0)
    flat = nn.Conv2d(3, 4, 5, padding=2, bias=False)
    deep = nn.Conv3d(3, 4, (3, 5, 5), padding=(0, 2, 2), bias=False)
    deep.load_state_dict(inflate(flat.state_dict(), deep.state_dict()))
    image = torch.randn(2, 3, 9, 11)
    clip = image[:, :, None].repeat(1, 1, 5, 1, 1)
    expected = flat(image)[:, :, None].expand(-1, -1, 3, -1, -1)
    torch.testing.assert_close(deep(clip), expected, rtol=1e-5, atol=1e-5)


def test_which_weights_are_inflated():
    state = {
        "bn.weight": torch.randn(3),
        "point.weight": torch.randn(4, 3, 1, 1),
        "time.weight": torch.randn(4, 3, 1, 1),
        "other.weight": torch.randn(4, 3, 3, 3),
        "classifier.weight": torch.randn(1000, 4),
        "classifier.bias": torch.randn(1000),
        "extra.weight": torch.randn(2),
    }
    wanted = {
        "bn.weight": torch.empty(3),
        "point.weight": torch.empty(4, 3, 1, 1, 1),
        "time.weight": torch.empty(4, 3, 3, 1, 1),
        "other.weight": torch.empty(4, 3, 1, 5, 5),
        "classifier.weight": torch.empty(400, 4),
        "classifier.bias": torch.empty(400),
        "conv_state.weight": torch.empty(1),
    }
    found = inflate(state, wanted)
    assert torch.equal(found["bn.weight"], state["bn.weight"])
    assert torch.equal(found["point.weight"], state["point.weight"][:, :, None])
    for frame in range(3):
        assert torch.equal(found["time.weight"][:, :, frame], state["time.weight"] / 3)
    comparison = compare_state_dicts(wanted, found)
    assert comparison.missing == ("classifier.weight", "classifier.bias", "conv_state.weight")
    assert comparison.reshaped == {"other.weight": ((4, 3, 3, 3), (4, 3, 1, 5, 5))}
    assert comparison.unexpected == ("extra.weight",)
