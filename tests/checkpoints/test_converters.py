"""Converted networks compute the same as the originals."""

from pathlib import Path

import pytest
import torch
from mmengine.runner import load_state_dict
from torch import nn

from glore_seg.apis import load_config
from glore_seg.checkpoints import compare_state_dicts, convert
from glore_seg.checkpoints.converters.authors import from_authors
from glore_seg.engine import build_model
from glore_seg.layers import GloReUnit
from glore_seg.models import GloReResNet
from tests.checkpoints.references import AuthorsHead, classifier_names
from tests.reference import paddleseg

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize(("depth", "params"), [(50, 27_137_158), (101, None)])
def test_paddleseg_names(depth, params):
    shapes = paddleseg.shapes(depth)
    if params is not None:
        assert len(shapes) == 302
        trained = [s for n, s in shapes.items() if not n.endswith(("_mean", "_variance"))]
        assert sum(torch.Size(s).numel() for s in trained) == params
    model = build_model(
        load_config(str(CONFIGS / f"paddleseg/fcn_r{depth}-vd_glore_cityscapes.py"))
    )
    state = {name: torch.empty(shape) for name, shape in shapes.items()}
    converted, comparison = convert(state, "paddleseg", model.state_dict())
    assert (comparison.missing, comparison.unexpected, comparison.reshaped) == ((), (), {})
    assert len(converted) == len(shapes) - 1  # one bias is part of a mean


def test_paddleseg_network_computes_the_same():
    model = build_model(load_config(str(CONFIGS / "paddleseg/fcn_r50-vd_glore_cityscapes.py")))
    state = paddleseg.random_state(50)
    model.load_state_dict(convert(state, "paddleseg", model.state_dict())[0], strict=False)
    model.eval()
    x = torch.randn(2, 3, 65, 97)
    with torch.no_grad():
        expected, expected_auxiliary = paddleseg.forward(state, x, 50)
        features = model.extract_feat(x)
        logits = model.decode_head(features)
        auxiliary = model.auxiliary_head(features)
    for got, wanted in ((logits, expected), (auxiliary, expected_auxiliary)):
        assert wanted.std() > 0.01
        assert (got - wanted).abs().max() <= 1e-4 * max(1.0, wanted.abs().max().item())


@pytest.mark.parametrize("prefix", ["", "head."])
@pytest.mark.parametrize("units", [0, 1, 2])
def test_authors_head_computes_the_same(units, prefix):
    torch.manual_seed(0)
    theirs = AuthorsHead(units).eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.running_mean, std=0.1)
    cfg = load_config(
        str(CONFIGS / "fcn_r50_glore_cityscapes.py"),
        cfg_options={"model.decode_head.num_units": units},
    )
    model = build_model(cfg).eval()
    state = {f"{prefix}{name}": value for name, value in theirs.state_dict().items()}
    converted, comparison = convert(state, "authors", model.state_dict())
    assert comparison.unexpected == ()
    assert all(name.startswith("backbone.") for name in comparison.missing)
    model.load_state_dict(converted, strict=False)
    x = torch.randn(1, 2048, 9, 13)
    with torch.no_grad():
        torch.testing.assert_close(model.decode_head([x] * 4), theirs(x), rtol=1e-4, atol=1e-4)


def test_authors_backbone_and_unknown_names():
    names = classifier_names(50, deep_stem=True)
    state = {f"pretrained.{name}": torch.empty(shape) for name, shape in names.items()}
    state["gcn.GCNx.weight"] = torch.empty(1)
    renamed = from_authors(state)
    backbone = GloReResNet(50)
    comparison = compare_state_dicts(
        backbone.state_dict(), {k.removeprefix("backbone."): v for k, v in renamed.items()}
    )
    assert (comparison.missing, comparison.reshaped) == ((), {})
    assert comparison.unexpected == ("gcn.GCNx.weight",)


def test_units_of_the_released_code_keep_their_names():
    unit = GloReUnit(512, num_nodes=64)
    state = {f"gcn.GCN01.{name}": value for name, value in unit.state_dict().items()}
    renamed = from_authors(state)
    other = GloReUnit(512, num_nodes=64)
    other.load_state_dict(
        {name.removeprefix("decode_head.units.1."): value for name, value in renamed.items()}
    )


@pytest.mark.parametrize(("depth", "source"), [(50, "torchvision"), (101, "timm")])
@pytest.mark.parametrize(
    ("variant", "deep_stem", "pooled"), [("v1", 0, 0), ("v1c", 1, 0), ("v1d", 1, 1)]
)
def test_imagenet_backbones(depth, source, variant, deep_stem, pooled):
    names = classifier_names(depth, deep_stem=bool(deep_stem), pooled_shortcut=bool(pooled))
    state = {name: torch.empty(shape) for name, shape in names.items()}
    backbone = GloReResNet(depth, variant=variant, num_units=(0, 2, 3, 0))
    _, comparison = convert(state, source, backbone.state_dict())
    assert comparison.reshaped == {}
    assert comparison.unexpected == ()
    assert comparison.missing
    assert all(".units." in name for name in comparison.missing)


def test_imagenet_stem_computes_the_same():
    """timm's conv1.{0,1,3,4,6} and bn1 are a Sequential and the norm after it."""
    torch.manual_seed(0)
    conv1 = nn.Sequential(
        nn.Conv2d(3, 32, 3, 2, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, 1, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, 1, 1, bias=False),
    )
    theirs = nn.ModuleDict({"conv1": conv1, "bn1": nn.BatchNorm2d(64)}).eval()
    for norm in (conv1[1], conv1[4], theirs["bn1"]):
        nn.init.normal_(norm.weight, 1, 0.3)
        nn.init.normal_(norm.bias)
    backbone = GloReResNet(50).eval()
    converted, comparison = convert(theirs.state_dict(), "timm", backbone.state_dict())
    assert comparison.unexpected == ()
    load_state_dict(backbone, converted, strict=False)
    x = torch.randn(1, 3, 33, 35)
    with torch.no_grad():
        expected = theirs["bn1"](conv1(x)).relu()
        torch.testing.assert_close(backbone.stem(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("prefix", ["backbone.", ""])
def test_mmpretrain_backbone(prefix):
    backbone = GloReResNet(50)
    state = {f"{prefix}{name}": value for name, value in backbone.state_dict().items()}
    if prefix:
        state["head.fc.weight"] = torch.empty(1000, 2048)
    converted, comparison = convert(state, "mmpretrain", backbone.state_dict())
    assert (comparison.missing, comparison.unexpected, comparison.reshaped) == ((), (), {})
    assert torch.equal(converted["stem.0.weight"], backbone.stem[0].weight)


def test_comparison_names_what_differs():
    wanted = {
        "a": torch.empty(2),
        "b": torch.empty(3),
        "c": torch.empty(1),
        "n.num_batches_tracked": torch.empty(()),
    }
    found = {"a": torch.empty(2), "b": torch.empty(4), "d": torch.empty(1)}
    comparison = compare_state_dicts(wanted, found)
    assert comparison.fitting == ("a",)
    assert str(comparison) == (
        "1 of 3 parameters fit; 1 missing: c; 1 of another shape: b (4,), needed (3,); "
        "1 not in the model: d"
    )
