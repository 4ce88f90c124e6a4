"""The options for speed change no result of a network."""

import copy
from types import SimpleNamespace

import pytest
import torch

from glore_seg.apis import load_config
from glore_seg.engine import ChannelsLastHook, build_model, use_channels_last, use_compile
from glore_seg.engine.speed import compilable_parts
from glore_seg.layers import VideoResNet
from tests.fixtures import STREET_SCENES


@pytest.fixture(scope="module")
def cfg():
    return load_config(str(STREET_SCENES))


@pytest.fixture(scope="module")
def model(cfg):
    torch.manual_seed(0)
    return build_model(cfg).eval()


@pytest.fixture(scope="module")
def image():
    return torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def test_channels_last_changes_layout_and_no_result(model, image):
    other = copy.deepcopy(model)
    ChannelsLastHook().before_train(SimpleNamespace(model=other))
    weight = other.backbone.layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not weight.is_contiguous()
    with torch.no_grad():
        found = other.backbone(image)
        torch.testing.assert_close(other(image), model(image), rtol=1e-4, atol=1e-5)
    assert all(map_.is_contiguous(memory_format=torch.channels_last) for map_ in found)
    assert other.state_dict().keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)


def test_channels_last_of_a_video_network():
    net = VideoResNet(26, num_classes=3, num_units=(0, 1, 1, 0), base_channels=4)
    net.register_buffer("mean", torch.zeros(3, 1, 1, 1))  # as mmaction2's preprocessor has it
    ChannelsLastHook().before_train(SimpleNamespace(model=net))
    weight = net.conv3.B01.conv_m2.conv.weight
    assert weight.is_contiguous(memory_format=torch.channels_last_3d)


def test_compiled_parts_run_and_keep_names(model, image, monkeypatch):
    compiled = []

    def stand_in(function, **options):  # torch.compile takes half a minute here
        compiled.append(function)
        return function

    monkeypatch.setattr(torch, "compile", stand_in)
    other = copy.deepcopy(model)
    use_compile(SimpleNamespace(model=other))
    head = model.decode_head
    parts = list(compilable_parts(model))
    assert len(compiled) == len(parts)
    assert parts[0] is model.backbone
    assert {*parts[1:]} == {*head.convs, *head.units, head.conv_seg}
    assert other.state_dict().keys() == model.state_dict().keys()
    with torch.no_grad():
        torch.testing.assert_close(other(image), model(image), rtol=0, atol=0)


def test_channels_last_is_a_hook_and_refuses_a_fused_optimiser(cfg):
    cfg = copy.deepcopy(cfg)
    cfg.custom_hooks = [{"type": "EMAHook"}]
    use_channels_last(cfg)
    assert [hook.type for hook in cfg.custom_hooks] == ["EMAHook", "ChannelsLastHook"]
    cfg.optim_wrapper.optimizer.fused = True
    with pytest.raises(ValueError, match=r"--channels-last with .*fused=True.*set fused=False"):
        use_channels_last(cfg)
