"""Parameters of the networks against timm's, and narrower networks."""

import pytest
import torch

from glore_seg.errors import ConfigError
from glore_seg.layers.preact import ARCHITECTURES, PreActClassifier, find_architecture


@pytest.mark.parametrize(
    "arch",
    [pytest.param(a, marks=pytest.mark.slow) if "200" in a else a for a in ARCHITECTURES],
)
def test_parameters_equal_timms_except_norms(arch):
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        models = (
            PreActClassifier(arch),
            timm.create_model(arch.replace("se-", "se").replace("-", "_")),
        )
    ours, theirs = (sum(p.numel() for p in model.parameters()) for model in models)
    spec = ARCHITECTURES[arch]
    if any(spec.increments):  # timm's are pre-activation, too
        assert ours == theirs
        return
    # After each convolution timm has a norm of its output, we before each one of its input: what
    # remains of the difference are the outputs of blocks and shortcuts against their inputs.
    inputs = (spec.stem_channels, *spec.out_channels[:-1])
    difference = spec.out_channels[-1]  # the tail
    for into, out, blocks in zip(inputs, spec.out_channels, spec.blocks, strict=True):
        shortcut = arch not in ("resnet18", "resnet34") or into != out
        difference += into * (1 + shortcut) + out * (blocks - 1)
        difference -= out * (blocks + shortcut)
    assert ours - theirs == 2 * difference


@pytest.mark.parametrize(
    ("arch", "width"), [("resnet50", 0.3), ("resnet50", -1), ("resnet50", 0), ("dpn98", 0.125)]
)
def test_rejects_widths(arch, width):
    with pytest.raises(ConfigError, match=f"width is {width}, "):
        find_architecture(arch).narrowed(width)
