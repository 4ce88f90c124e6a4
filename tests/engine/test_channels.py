"""Channels of images, preprocessor and network, compared before a run."""

import pytest
import torch
from mmengine.config import Config

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config, use_tta
from glore_seg.engine import build_model
from glore_seg.engine.channels import check_channels, input_channels
from glore_seg.errors import ConfigError
from tests.fixtures import STREET_SCENES


@pytest.mark.parametrize(
    ("model", "channels"),
    [
        ({"backbone": {"in_channels": 4}, "data_preprocessor": {"mean": [1.0]}}, 4),
        ({"backbone": {}, "data_preprocessor": {"mean": [1.0] * 5}}, 5),
        ({"backbone": {}, "data_preprocessor": {"mean": [1.0]}}, 3),
        ({"backbone": {}}, 3),
        ({"type": "SegTTAModel", "module": {"backbone": {"in_channels": 1}}}, 1),
        ({"backbone": {"backbone_cfg": {"in_channels": 1}}}, 1),  # mmseg's STDCContextPathNet
    ],
)
def test_channels_of_a_config(model, channels):
    assert input_channels(Config({"model": model})) == channels


def network(channels, mean):
    options = {"model.backbone.in_channels": channels}
    options["model.data_preprocessor.mean"] = options["model.data_preprocessor.std"] = mean
    cfg = load_config(str(STREET_SCENES), cfg_options=SMALL_NETWORK | options)
    return cfg, build_model(cfg)


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        "glore_seg.engine.channels.print_log", lambda line, logger, level: lines.append(line)
    )
    return lines


@pytest.mark.parametrize(
    ("images", "mean", "channels"),
    [(3, 3, 3), (1, 1, 1), (4, 4, 4), (4, 1, 4), (1, 3, 3)],
)
def test_what_fits_is_silent(said, images, mean, channels):
    check_channels(*network(channels, [1.0] * mean), {"inputs": torch.zeros(images, 8, 8)})
    assert said == []


def test_a_preprocessor_of_another_kind_is_passed_over(said):
    model = torch.nn.Module()
    model.data_preprocessor = torch.nn.Module()
    model.data_preprocessor.mean = [1.0, 2.0]
    check_channels(Config(), model, {"inputs": torch.zeros(3, 8, 8)})
    assert said == []


@pytest.mark.parametrize("lazy", [False, True])
def test_what_cannot_be_normalized_is_refused(lazy):
    packed = {"inputs": [torch.zeros(4, 8, 8)]}
    with pytest.raises(ConfigError, match=r"4 channels, .*mean has 3"):
        check_channels(*network(3, [1.0] * 3), {"passes": [lambda: packed]} if lazy else packed)


def test_another_backbone_is_warned_of(said):
    cfg, model = network(1, [1.0])
    use_tta(cfg)
    check_channels(cfg, model, {"inputs": torch.zeros(3, 8, 8)})
    (line,) = said
    assert "images have 3 channels, the backbone takes 1" in line


@pytest.mark.parametrize("dtype", [torch.uint16, torch.float32])
@pytest.mark.parametrize(("mean", "number"), [(120.0, 1), (30000.0, 0)])
def test_means_of_8_bits_for_images_of_16_are_warned_of(said, mean, number, dtype):
    image = torch.full((1, 8, 8), 40000, dtype=dtype)
    check_channels(*network(1, [mean]), {"inputs": image})
    assert len(said) == number
    assert all("up to 40000" in line and "mean is at most 120" in line for line in said)


def test_clips_and_unknown_samples_pass(said):
    cfg, model = network(3, [1.0] * 3)
    for packed in (None, {}, {"inputs": torch.zeros(2, 3, 4, 8, 8)}, {"inputs": "text"}):
        check_channels(cfg, model, packed)
    assert said == []
