"""Parameters of the networks, also against timm's, and narrower networks."""

import pytest
import torch

from glore_seg.errors import ConfigError
from glore_seg.layers.preact import ARCHITECTURES, PreActClassifier, find_architecture

# Without units; FACTS of Table 2 are of the same counts in millions.
PARAMETERS = {
    "resnet18": 11_688_744,
    "resnet50": 25_553_192,
    "resnet200": 64_669_992,
    "se-resnet50": 28_084_184,
    "resnext101-32x4d": 44_173_864,
    "dpn98": 61_570_728,
    "dpn131": 79_254_504,
}


def count(arch: str) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in PreActClassifier(arch).parameters())


def norms(*channels: int) -> int:
    return 2 * sum(channels)


@pytest.mark.parametrize("arch", PARAMETERS)
def test_parameters(arch):
    assert count(arch) == PARAMETERS[arch]


@pytest.mark.parametrize(
    ("arch", "name"),
    [
        ("resnet18", "resnet18"),
        ("resnet34", "resnet34"),
        ("resnet50", "resnet50"),
        ("resnet101", "resnet101"),
        ("resnet152", "resnet152"),
        ("resnet200", "resnet200"),
        ("se-resnet50", "seresnet50"),
        ("resnext101-32x4d", "resnext101_32x4d"),
        ("dpn98", "dpn98"),
        ("dpn131", "dpn131"),
    ],
)
def test_parameters_equal_timms_except_norms(arch, name):
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        theirs = sum(p.numel() for p in timm.create_model(name).parameters())
    spec = ARCHITECTURES[arch]
    if any(spec.increments):  # timm's are pre-activation, too
        assert count(arch) == theirs
        return
    # After each convolution timm has a norm of its output, we before each one of its input: what
    # remains of the difference are the outputs of blocks and shortcuts against their inputs.
    inputs = (spec.stem_channels, *spec.out_channels[:-1])
    difference = norms(spec.out_channels[-1])  # the tail
    for into, out, blocks in zip(inputs, spec.out_channels, spec.blocks, strict=True):
        shortcut = arch not in ("resnet18", "resnet34") or into != out
        difference += norms(into) * (1 + shortcut) + norms(out) * (blocks - 1)
        difference -= norms(out) * (blocks + shortcut)
    assert count(arch) - theirs == difference


@pytest.mark.parametrize(
    ("arch", "channels"),
    [
        ("resnet34", (64, 128, 256, 512)),
        ("resnext101-32x4d", (256, 512, 1024, 2048)),
        # 16 (3 + 2), 32 (6 + 2), 32 (20 + 2) and 128 (3 + 2) channels are appended.
        ("dpn98", (336, 768, 1728, 2688)),
        ("dpn131", (352, 832, 1984, 2688)),
    ],
)
def test_channels_of_the_stages(arch, channels):
    assert find_architecture(arch).feature_channels() == channels


def test_narrowed():
    narrow = find_architecture("dpn98").narrowed(0.25)
    assert narrow.mid_channels == (40, 80, 160, 320)
    assert narrow.feature_channels() == (84, 192, 432, 672)
    assert narrow.stem_channels == 24


@pytest.mark.parametrize(
    ("arch", "width"), [("resnet50", 0.3), ("resnet50", -1), ("resnet50", 0), ("dpn98", 0.125)]
)
def test_rejects_widths(arch, width):
    with pytest.raises(ConfigError, match=f"width is {width}, "):
        find_architecture(arch).narrowed(width)


@pytest.mark.parametrize("arch", ["resnet77", "resnet", "dpn92"])
def test_unknown_network(arch):
    with pytest.raises(ConfigError, match=f"arch is '{arch}'"):
        find_architecture(arch)
