"""The backbone in mmseg and mmpretrain: frozen stages, norms, pretrained weights."""

import copy

import pytest
import torch
from mmengine.config import Config
from torch import nn

from glore_seg.apis.export import export_model
from glore_seg.engine import build_model
from glore_seg.errors import CheckpointError, ConfigError, GloReSegError
from glore_seg.layers.preact import ARCHITECTURES, Architecture
from glore_seg.models import GloRePreActNet
from glore_seg.models.backbones import pretrained as pretrained_module
from tests.export import networks
from tests.models.base import ModelTests

UNITS = {"num_units": (0, 1, 1, 0)}
SMALL = {"arch": "resnet18", "width": 0.125}
CHANNELS = (8, 16, 32, 64)


class InDouble(ModelTests):
    """In fp64, because random statistics make the sums of a residual network large."""

    options: dict

    def build(self):
        return GloRePreActNet(**self.options).double()

    def input(self, *sizes):
        return super().input(*sizes).double()

    @pytest.mark.slow
    @pytest.mark.usefixtures("export_support")
    def test_export_agrees(self):
        model, x = self.model(), self.input(*self.sizes[1])
        program = torch.export.export(model, (x,)).module()
        for got, wanted in zip(program(x), model(x), strict=True):
            torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


class TestDilated(InDouble):
    strides = (4, 8, 8, 8)
    options = {
        **SMALL,
        **UNITS,
        "output_stride": 8,
        "multi_grid": (4, 8),
        "out_indices": (0, 1, 2, 3),
    }


EVERYTHING = Architecture(
    blocks=(1, 1, 1, 1),
    mid_channels=(8, 8, 16, 16),
    out_channels=(16, 16, 16, 32),
    increments=(4, 4, 4, 8),
    groups=4,
    squeeze=4,
    stem_channels=16,  # as Res2 has, whose first shortcut is a projection nevertheless
)


class TestAllKindsOfBlocks(InDouble):
    strides = (16, 16)
    options = {
        "arch": "everything",
        "unit_positions": ((), (), (1,), ()),
        "unit_type": "nonlocal-pooled",
        "output_stride": 16,
        "out_indices": (2, 3),
    }

    @pytest.fixture(autouse=True)
    def everything(self, monkeypatch):
        monkeypatch.setitem(ARCHITECTURES, "everything", EVERYTHING)

    @pytest.mark.slow
    @pytest.mark.usefixtures("export_support")
    def test_onnx_agrees(self, tmp_path):
        pytest.importorskip("mmpretrain")
        cfg = networks.classification()
        cfg.model.backbone = {
            "type": "GloRePreActNet",
            "arch": "everything",
            "num_units": (0, 0, 1, 0),
            "unit_type": "nonlocal-pooled",
            "unit_cfg": {"zero_init": False},
        }
        cfg.model.head.in_channels = EVERYTHING.feature_channels()[-1]
        torch.manual_seed(0)
        torch.save({"state_dict": build_model(cfg).state_dict()}, tmp_path / "a.pth")
        exported = export_model(cfg, tmp_path / "a.pth", tmp_path / "a.onnx")
        assert all(row.agrees for row in exported.checks)
        assert max(row.difference for row in exported.checks) < 1e-4
        assert min(row.scale for row in exported.checks) > 0.01


def classifier_cfg(**backbone):
    backbone = {"type": "GloRePreActNet", **SMALL, **backbone}
    head = {"type": "LinearClsHead", "num_classes": 3, "in_channels": CHANNELS[-1]}
    neck = {"type": "GlobalAveragePooling"}
    model = {"type": "ImageClassifier", "backbone": backbone, "neck": neck, "head": head}
    return Config({"default_scope": "mmpretrain", "model": model})


def segmentor_cfg(**backbone):
    backbone = {"type": "GloRePreActNet", **SMALL, "output_stride": 8, **backbone}
    head = {"type": "FCNHead", "in_channels": 64, "in_index": 0, "channels": 8, "num_classes": 4}
    model = {"type": "EncoderDecoder", "backbone": backbone, "decode_head": head}
    model |= {"train_cfg": {}, "test_cfg": {"mode": "whole"}}
    return Config({"default_scope": "mmseg", "model": model})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Of a classifier with random statistics and units that are not the identity."""
    pytest.importorskip("mmpretrain")
    torch.manual_seed(0)
    classifier = build_model(classifier_cfg(**UNITS, unit_cfg={"zero_init": False}))
    for module in classifier.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
    path = tmp_path_factory.mktemp("classifier") / "epoch_1.pth"
    state = {f"module.{k}": v for k, v in classifier.state_dict().items()}
    torch.save({"state_dict": state, "meta": {}}, path)
    return path


def pretrained(path, **more):
    return {"type": "Pretrained", "checkpoint": str(path), "prefix": "backbone.", **more}


def test_classifier_weights_initialize_a_segmentor(checkpoint):
    torch.manual_seed(1)
    model = build_model(segmentor_cfg(**UNITS, init_cfg=pretrained(checkpoint)))
    model.init_weights()
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    own = model.backbone.state_dict()
    assert {k for k in state if ".backbone." in k} == {f"module.backbone.{k}" for k in own}
    for name, value in own.items():
        assert torch.equal(value, state[f"module.backbone.{name}"]), name
    assert model(torch.rand(1, 3, 64, 64)).shape == (1, 4, 8, 8)


def test_released_names_without_prefix_and_with_their_classifier(tmp_path):
    source = GloRePreActNet(**SMALL)
    state = {f"module.{k}": v for k, v in source.state_dict().items()}
    state |= {"module.classifier.weight": torch.zeros(5, 64)}
    torch.save({"state_dict": state}, tmp_path / "released.pth")
    model = GloRePreActNet(**SMALL, init_cfg=pretrained(tmp_path / "released.pth", prefix=None))
    model.init_weights()
    assert all(torch.equal(v, source.state_dict()[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize(
    ("backbone", "change", "message"),
    [
        ({}, {"prefix": "trunk."}, r"prefix 'trunk\.', but backbone"),
        ({}, {"prefix": None}, r"0 of \d+ parameters fit.*Set init_cfg\.prefix='backbone\.'"),
        ({"arch": "resnet34"}, {}, r"missing: conv2\.B03"),
        ({"stem": "5x5"}, {}, r"of another shape: conv1\.conv\.weight"),
        ({"num_units": (0, 0, 1, 0)}, {}, r"not in the model: conv3\.B01_extra"),
        ({"unit_cfg": {"num_graph_convs": 2}}, {}, r"6 missing: conv3\.B01_extra\.gcn2"),
        ({"unit_cfg": {"num_nodes": 3}}, {}, r"of another shape: conv3\.B01_extra\.conv_state"),
    ],
)
def test_rejects_weights_of_another_network(backbone, change, message, checkpoint):
    cfg = segmentor_cfg(**{**UNITS, **backbone}, init_cfg=pretrained(checkpoint, **change))
    with pytest.raises(CheckpointError, match=message):
        build_model(cfg).init_weights()


@pytest.fixture
def with_config(checkpoint, tmp_path):
    """The classifier's checkpoint with a config, as training stores it, or another text."""

    def write(*, text=None, plain=False, **backbone):
        loaded = torch.load(checkpoint, weights_only=True)
        cfg = classifier_cfg(**UNITS, **backbone).pretty_text
        loaded["meta"]["cfg"] = cfg if text is None else text
        if plain:
            state = loaded["state_dict"]
            loaded["state_dict"] = {k: v for k, v in state.items() if "_extra." not in k}
        torch.save(loaded, tmp_path / "with.pth")
        return tmp_path / "with.pth"

    return write


def initialized(path, **backbone):
    model = build_model(segmentor_cfg(**{**UNITS, **backbone}, init_cfg=pretrained(path)))
    model.init_weights()
    return model


def test_rejects_units_with_other_options(with_config):
    path = with_config(unit_cfg={"normalize": False})
    message = r"with\.pth was trained with units of normalize=False.*normalize=True"
    with pytest.raises(CheckpointError, match=message):
        initialized(path)
    same = initialized(path, unit_cfg={"normalize": False, "zero_init": False})
    assert not same.backbone.conv4.B01_extra.normalize
    same = initialized(with_config(unit_cfg={"zero_init": False}))
    assert same.backbone.conv4.B01_extra.normalize


def test_units_may_be_new_with_any_options(with_config):
    path = with_config(plain=True, unit_cfg={"normalize": False})
    backbone = initialized(path).backbone
    loaded = torch.load(path, weights_only=True)["state_dict"]
    assert torch.equal(backbone.tail.bn.weight, loaded["module.backbone.tail.bn.weight"])
    assert not backbone.conv4.B01_extra.blocker.weight.any()  # the identity


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        (None, 0),
        # Texts that are not a config of this network are not run.
        ("import os", 1),
        ("model = dict(backbone=dict(type='ResNet'))", 1),
        ("model = 3", 1),
        (7, 1),
    ],
)
def test_warns_about_units_with_unknown_options(with_config, monkeypatch, text, warnings):
    said = []
    monkeypatch.setattr(
        pretrained_module, "print_log", lambda text, level=0, **_: said.append(text) if level else 0
    )
    initialized(with_config(text=text))
    assert len(said) == warnings
    message = "does not record the options of its units; here they are normalize=True"
    assert all(message in line for line in said)


@pytest.mark.parametrize(
    ("init_cfg", "message"),
    [
        ({"type": "Pretrained"}, r"expected a path or URL.*backbone\.init_cfg=None"),
        (pretrained("/nowhere/weights.pth"), r"'/nowhere/weights.pth'.*backbone\.init_cfg=None"),
    ],
)
def test_missing_pretrained_weights(init_cfg, message):
    with pytest.raises(GloReSegError, match=message):
        GloRePreActNet(**SMALL, init_cfg=init_cfg).init_weights()


def test_other_initialization_is_mmengines():
    init_cfg = {"type": "Constant", "layer": "Conv2d", "val": 0.5}
    model = GloRePreActNet(**SMALL, init_cfg=init_cfg)
    model.init_weights()
    assert (model.conv5.B02.conv_m2.conv.weight == 0.5).all()


@pytest.mark.parametrize("frozen_stages", [-1, 0, 2, 4])
def test_frozen_stages(frozen_stages):
    model = GloRePreActNet(**SMALL, **UNITS, frozen_stages=frozen_stages).train()
    frozen = {"conv1", "conv2", "conv3", "conv4", "conv5"} & {
        f"conv{number}" for number in range(1, frozen_stages + 2)
    }
    for name, child in model.named_children():
        assert {p.requires_grad for p in child.parameters()} == {name not in frozen}
        norms = [m for m in child.modules() if isinstance(m, nn.BatchNorm2d)]
        assert {m.training for m in norms} == {name not in frozen}
    before = copy.deepcopy(model.state_dict())
    (out,) = model(torch.randn(2, 3, 64, 64))
    if frozen_stages < 4:
        out.sum().backward()
    changed = {k.split(".")[0] for k, v in model.state_dict().items() if not v.equal(before[k])}
    assert changed == {"conv1", "conv2", "conv3", "conv4", "conv5", "tail"} - frozen


def test_norm_eval_keeps_all_statistics():
    model = GloRePreActNet(**SMALL, norm_eval=True).train()
    before = copy.deepcopy(model.state_dict())
    model(torch.randn(2, 3, 64, 64))[0].sum().backward()
    assert all(v.equal(before[k]) for k, v in model.state_dict().items())
    assert model.conv5.B01.conv_m1.conv.weight.grad is not None


def test_arguments_of_another_backbone():
    with pytest.raises(ConfigError, match=r"GloRePreActNet has no depth, style; .*_delete_=True"):
        GloRePreActNet("resnet18", depth=50, style="pytorch")


def test_norm_cfg_reaches_all_norms():
    norm_cfg = {"type": "GN", "num_groups": 4}
    model = GloRePreActNet(**SMALL, **UNITS, norm_cfg=norm_cfg)
    assert not [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert model.conv4.B01_extra.blocker.num_groups == 4
    norms = [m for m in GloRePreActNet(**SMALL, **UNITS).modules() if hasattr(m, "running_var")]
    assert {norm.eps for norm in norms} == {1e-4}


def test_wrong_arguments():
    with pytest.raises(GloReSegError, match="frozen_stages is 5; expected -1"):
        GloRePreActNet(**SMALL, frozen_stages=5)
