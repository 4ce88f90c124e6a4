"""The 3D backbone: released weights, inflation from 2D, and weights that do not fit."""

import pytest
import torch
from mmengine.registry import MODELS

from glore_seg.checkpoints import convert
from glore_seg.errors import CheckpointError
from glore_seg.layers import PreActNet, VideoResNet
from glore_seg.models import GloReVideoResNet
from tests.reference import released_video

SMALL = {"depth": 50, "base_channels": 4}


def released_2d(depth):
    """A 2D network's state: the released names, without units and time, of 10 classes."""
    state = {}
    for name, value in released_video.random_state(depth, classes=10, base=4).items():
        if "_extra." not in name:
            state[name] = value.mean(2) if value.dim() == 5 else value
    return state


def save(state, path):
    torch.save({"state_dict": state}, path)
    return str(path)


def test_is_the_plain_network_without_classifier():
    backbone = MODELS.build({"type": "GloReVideoResNet", **SMALL})
    net = VideoResNet(50, num_classes=7, base_channels=4).eval()
    names = {n for n in net.state_dict() if not n.startswith("classifier.")}
    assert set(backbone.state_dict()) == names
    backbone.load_state_dict({n: net.state_dict()[n] for n in names})
    x = torch.randn(1, 3, 4, 32, 64)
    with torch.no_grad():
        features = backbone.eval()(x)
        assert features.shape == (1, 128, 2, 1, 2)
        torch.testing.assert_close(net.classifier(features.mean((2, 3, 4))), net(x))


def test_released_names_in_the_recognizer():
    pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    model = MODELS.build(
        {
            "type": "mmaction.Recognizer3D",
            "backbone": {"type": "GloReVideoResNet", **SMALL},
            "cls_head": {"type": "I3DHead", "num_classes": 7, "in_channels": 128},
        }
    ).eval()
    state = released_video.random_state(50, classes=7, base=4)
    converted, comparison = convert(state, "authors-video", model.state_dict())
    assert (comparison.missing, comparison.unexpected, comparison.reshaped) == ((), (), {})
    assert len(converted) == 331
    model.load_state_dict(converted)
    clips = torch.randn(2, 1, 3, 4, 33, 47)
    with torch.no_grad():
        got, _ = model.extract_feat(clips, stage="head")
        expected = released_video.forward(state, clips[:, 0], 50)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_starts_from_a_2d_network_with_units_that_are_the_identity(prefix, tmp_path):
    flat = released_2d(50)
    state = "conv3.B01_extra.conv_state.weight"
    flat |= {state: torch.randn(16, 32, 1, 1), "conv3.B01_extra.blocker.weight": torch.ones(32)}
    path = save({f"{prefix}{name}": value for name, value in flat.items()}, tmp_path / "2d.pth")
    backbone = GloReVideoResNet(**SMALL, pretrained=path)
    backbone.init_weights()
    own = backbone.state_dict()
    stem = flat["conv1.conv.weight"]
    assert torch.equal(own["conv1.conv.weight"], (stem / 3)[:, :, None].repeat(1, 1, 3, 1, 1))
    assert torch.equal(own["tail.bn.running_var"], flat["tail.bn.running_var"])
    assert torch.equal(own[state][..., 0], flat[state])
    assert not any(unit.blocker.weight.any() for unit in backbone.units().values())


def test_starts_from_the_2d_network_of_this_package(tmp_path):
    """A still clip then gives what its image gives, but for the ends of time."""
    torch.manual_seed(0)
    flat = PreActNet("resnet50", stem="5x5", width=0.125).eval()
    path = save({f"backbone.{k}": v for k, v in flat.state_dict().items()}, tmp_path / "2d.pth")
    backbone = GloReVideoResNet(50, base_channels=8, pretrained=path).eval()
    backbone.init_weights()
    image = torch.randn(1, 3, 33, 40)
    with torch.no_grad():
        (expected,) = flat(image)
        got = backbone(image[:, :, None].repeat(1, 1, 48, 1, 1))
    middle = got[:, :, 12]  # ten kernels of 3 frames do not reach it from an end
    torch.testing.assert_close(middle, expected, rtol=1e-3, atol=1e-4)


def test_units_of_a_3d_network_are_kept(tmp_path):
    state = released_video.random_state(50, classes=7, base=4)
    backbone = GloReVideoResNet(**SMALL, pretrained=save(state, tmp_path / "3d.pth"))
    backbone.init_weights()
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, state.get(name, value)), name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 101}, r"r50\.pth does not fit .*315 missing.*pretrained=None"),
        ({"base_channels": 8}, "of another shape: conv1"),
        ({"num_units": (0, 1, 0, 0), "pretrained": "nowhere.pth"}, r"nowhere\.pth does not exist"),
    ],
)
def test_rejects_pretrained_files(options, message, tmp_path):
    path = save(released_2d(50), tmp_path / "r50.pth")
    with pytest.raises(CheckpointError, match=message):
        GloReVideoResNet(**{**SMALL, "pretrained": path, **options}).init_weights()
