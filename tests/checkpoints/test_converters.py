"""Converted networks compute the same as the originals."""

from pathlib import Path

import pytest
import torch
from torch import nn

from glore_seg.apis import load_config
from glore_seg.checkpoints import SOURCES, compare_state_dicts, convert, head_classes, inflate
from glore_seg.engine import build_model
from glore_seg.models import GloReResNet
from tests.checkpoints.references import AuthorsHead, timm_resnet
from tests.reference import paddleseg

CONFIGS = Path(__file__).parents[2] / "configs"


def build(config, **cfg_options):
    return build_model(load_config(str(CONFIGS / config), cfg_options=cfg_options)).eval()


def randomize(model):
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.running_mean, std=0.1)
    return model


@pytest.mark.parametrize("depth", [50, 101])
def test_paddleseg_names(depth):
    shapes = paddleseg.shapes(depth)
    wanted = build(f"paddleseg/fcn_r{depth}-vd_glore_cityscapes.py").state_dict()
    state = {name: torch.empty(shape) for name, shape in shapes.items()}
    converted, comparison = convert(state, "paddleseg", wanted)
    assert (comparison.missing, comparison.unexpected, comparison.reshaped) == ((), (), {})
    assert len(converted) == len(shapes) - 1  # one bias is part of a mean


OUTPUT_STRIDES = {
    8: ((1, 2, 1, 1), (1, 1, 2, 4), (4, 4, 4)),
    16: ((1, 2, 2, 1), (1, 1, 1, 2), None),
    32: ((1, 2, 2, 2), (1, 1, 1, 1), None),
}


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", OUTPUT_STRIDES)
def test_paddleseg_network_computes_the_same(output_stride):
    values = OUTPUT_STRIDES[output_stride]
    names = (f"model.backbone.{name}" for name in ("strides", "dilations", "multi_grid"))
    options = dict(zip(names, values, strict=True))
    model = build("paddleseg/fcn_r50-vd_glore_cityscapes.py", **options)
    state = paddleseg.random_state(50)
    assert len(state) == 302  # as the released file
    model.load_state_dict(convert(state, "paddleseg", model.state_dict())[0], strict=False)
    x = torch.randn(2, 3, 65, 97)
    with torch.no_grad():
        expected = paddleseg.forward(state, x, 50, output_stride)
        features = model.extract_feat(x)
        found = model.decode_head(features), model.auxiliary_head(features)
    for got, wanted in zip(found, expected, strict=True):
        assert wanted.std() > 0.01
        assert (got - wanted).abs().max() <= 1e-4 * max(1.0, wanted.abs().max().item())


def test_paddleseg_bias_of_bf16_weights():
    state = {k: v.bfloat16() for k, v in paddleseg.random_state(50).items()}
    wanted = build("paddleseg/fcn_r50-vd_glore_cityscapes.py").state_dict()
    layer = "head.auxlayer.conv_bn_relu"
    bias, mean = state[f"{layer}._conv.bias"].float(), state[f"{layer}._batch_norm._mean"].float()
    converted, _ = convert(state, "paddleseg", wanted)
    assert torch.equal(converted["auxiliary_head.convs.0.bn.running_mean"], mean - bias)


@pytest.mark.parametrize(
    ("source", "name", "head"),
    [
        ("paddleseg", "head.classifier.weight", "decode_head"),
        ("paddleseg", "head.auxlayer.conv.weight", "auxiliary_head"),
        ("authors", "conv6.1.weight", "decode_head"),
        ("authors-video", "classifier.weight", "cls_head"),
    ],
)
def test_classes_of_the_file(source, name, head):
    assert head_classes({name: torch.empty(21, 8, 1, 1), "other": torch.empty(3)}, source) == {
        head: 21
    }


@pytest.mark.parametrize("prefix", ["", "head."])
@pytest.mark.parametrize("units", [0, 2])
def test_authors_network_computes_the_same(units, prefix):
    head, backbone = randomize(AuthorsHead(units).eval()), randomize(timm_resnet(50, "c"))
    model = build("fcn_r50_glore_cityscapes.py", **{"model.decode_head.num_units": units})
    state = {f"{prefix}{name}": value for name, value in head.state_dict().items()}
    state |= {f"pretrained.{name}": value for name, value in backbone.state_dict().items()}
    converted, comparison = convert(state, "authors", model.state_dict())
    assert (comparison.missing, comparison.unexpected, comparison.reshaped) == ((), (), {})
    model.load_state_dict(converted, strict=False)
    features = torch.randn(1, 2048, 9, 13)
    image = torch.randn(1, 3, 33, 35)
    with torch.no_grad():
        expected = backbone.layer1(
            backbone.maxpool(backbone.act1(backbone.bn1(backbone.conv1(image))))
        )
        torch.testing.assert_close(model.backbone(image)[0], expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            model.decode_head([features] * 4), head(features), rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize("source", ["torchvision", "timm"])
@pytest.mark.parametrize(("variant", "suffix"), [("v1", ""), ("v1c", "c"), ("v1d", "d")])
def test_imagenet_backbones_compute_the_same(source, variant, suffix):
    theirs = randomize(timm_resnet(50, suffix))
    backbone = GloReResNet(50, variant=variant, num_units=(0, 2, 3, 0)).eval()
    backbone.init_weights()  # units are the identity
    converted, comparison = convert(theirs.state_dict(), source, backbone.state_dict())
    assert (comparison.unexpected, comparison.reshaped) == ((), {})
    assert comparison.missing
    assert all(".units." in name for name in comparison.missing)
    backbone.load_state_dict(converted, strict=False)
    x = torch.randn(1, 3, 65, 97)
    with torch.no_grad():
        expected = theirs.forward_features(x)
        torch.testing.assert_close(backbone(x)[-1], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("prefix", ["backbone.", ""])
def test_mmpretrain_backbone(prefix):
    backbone = GloReResNet(18)
    state = {f"{prefix}{name}": value for name, value in backbone.state_dict().items()}
    if prefix:
        state["head.fc.weight"] = torch.empty(1000, 512)
    converted, comparison = convert(state, "mmpretrain", backbone.state_dict())
    assert (comparison.missing, comparison.unexpected, comparison.reshaped) == ((), (), {})
    assert torch.equal(converted["stem.0.weight"], backbone.stem[0].weight)


@pytest.mark.parametrize("source", SOURCES)
def test_unknown_names_are_reported(source):
    converted, comparison = convert({"gcn.GCNx.weight": torch.ones(1)}, source, {})
    assert converted == {}
    assert {"gcn.GCNx.weight", "backbone.gcn.GCNx.weight"} > set(comparison.unexpected) != set()


def test_inflated_kernels_give_a_static_clip_the_features_of_the_image():
    torch.manual_seed(0)
    flat = nn.Conv2d(3, 4, 5, padding=2, bias=False)
    deep = nn.Conv3d(3, 4, (3, 5, 5), padding=(0, 2, 2), bias=False)
    deep.load_state_dict(inflate(flat.state_dict(), deep.state_dict()))
    image = torch.randn(2, 3, 9, 11)
    clip = image[:, :, None].repeat(1, 1, 5, 1, 1)
    expected = flat(image)[:, :, None].expand(-1, -1, 3, -1, -1)
    torch.testing.assert_close(deep(clip), expected, rtol=1e-5, atol=1e-5)


def test_what_is_inflated():
    state = {
        "bn.weight": torch.randn(3),
        "other.weight": torch.randn(4, 3, 3, 3),
        "classifier.weight": torch.randn(1000, 4),
        "extra.weight": torch.randn(2),
    }
    wanted = {
        "bn.weight": torch.empty(3),
        "other.weight": torch.empty(4, 3, 1, 5, 5),
        "classifier.weight": torch.empty(400, 4),
    }
    found = inflate(state, wanted)
    assert torch.equal(found["bn.weight"], state["bn.weight"])
    comparison = compare_state_dicts(wanted, found)
    assert comparison.missing == ("classifier.weight",)
    assert comparison.reshaped == {"other.weight": ((4, 3, 3, 3), (4, 3, 1, 5, 5))}
    assert comparison.unexpected == ("extra.weight",)
