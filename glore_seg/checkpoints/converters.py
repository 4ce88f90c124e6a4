"""Rename the state dict of another code base and compare it with a network of ours."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from glore_seg.checkpoints.comparison import Comparison, compare_state_dicts
from glore_seg.checkpoints.files import strip_prefix
from glore_seg.errors import CheckpointError

StateDict = dict[str, Tensor]


@dataclass(frozen=True)
class Source:
    """A code base: ``rename`` maps its state dict to ours; ``backbone_only`` if of a backbone."""

    rename: Callable[[StateDict], StateDict]
    backbone_only: bool


def convert(
    state: StateDict, source: str, wanted: Mapping[str, Tensor]
) -> tuple[StateDict, Comparison]:
    """Rename a state dict of one of ``SOURCES`` and compare it with the network that it is for.

    ``wanted`` is our network's, for ``backbone_only`` sources its backbone's. Returns the renamed
    tensors that fit, in the order of the network, and the comparison.
    """
    renamed = SOURCES[source].rename(state)
    comparison = compare_state_dicts(wanted, renamed)
    return {name: renamed[name] for name in comparison.fitting}, comparison


def head_classes(state: StateDict, source: str) -> dict[str, int]:
    """Return the number of classes of each head in a state dict, as ``{"decode_head": 19}``."""
    renamed = SOURCES[source].rename(state)
    return {
        name.partition(".")[0]: len(renamed[name])
        for name in _CLASSIFIERS
        if name in renamed and renamed[name].dim() > 1
    }


def require_complete(
    comparison: Comparison, source: str, *, name: str, head_only: bool = False
) -> None:
    """Refuse a conversion of the weights ``name`` that lacks parameters of the network.

    Units in a backbone, which ImageNet's networks do not have, and the auxiliary head may be
    missing; with ``head_only``, the backbone too.

    Raises:
        CheckpointError: A required parameter is missing or of another shape.
    """
    required = [
        parameter
        for parameter in (*comparison.missing, *comparison.reshaped)
        if not (SOURCES[source].backbone_only and ".units." in parameter)
        and not (head_only and parameter.startswith("backbone."))
        and not parameter.startswith("auxiliary_head.")
    ]
    if required:
        option = "variant=v1, v1c or v1d" if SOURCES[source].backbone_only else "depth=101"
        raise CheckpointError(
            f"{name} lacks {len(required)} parameters of the network, nothing is written: give the "
            f"config (--config) or the options (--cfg-options model.backbone.{option}, ...) of the "
            "network that it is from"
        )


def inflate(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> StateDict:
    """Repeat 2D kernels along time, as the released video networks start from ImageNet.

    A kernel of k frames is the 2D kernel k times, divided by k: on a static clip it computes what
    the 2D network computes on the image.

    Returns:
        ``state``, of a 2D or 3D network, with kernels (O, I, H, W) inflated to the ``wanted``
        (O, I, T, H, W), and without a classifier of another number of classes. Other shapes that
        differ are kept.
    """
    out = {}
    for name, value in state.items():
        own = wanted.get(name)
        if own is None or own.shape == value.shape:
            out[name] = value
        elif own.dim() == 5 and own.select(2, 0).shape == value.shape:
            frames = own.shape[2]
            out[name] = (value / frames)[:, :, None].repeat(1, 1, frames, 1, 1)
        elif not name.startswith("classifier."):
            out[name] = value
    return out


def _block(match: re.Match[str]) -> str:
    return f"backbone.layer{int(match[1]) + 1}.{match[2]}"


# Modules of PaddleSeg's network and ours, in ``re.fullmatch`` and ``Match.expand`` syntax or as a
# function of the match.
_PADDLESEG: Mapping[str, str | Callable[[re.Match[str]], str]] = {
    r"backbone\.conv1_(\d)\._conv": lambda m: f"backbone.stem.{3 * int(m[1]) - 3}",
    r"backbone\.conv1_(\d)\._batch_norm": lambda m: f"backbone.stem.{3 * int(m[1]) - 2}",
    r"backbone\.bb_(\d)_(\d+)\.conv(\d)\._conv": lambda m: f"{_block(m)}.conv{int(m[3]) + 1}",
    r"backbone\.bb_(\d)_(\d+)\.conv(\d)\._batch_norm": lambda m: f"{_block(m)}.bn{int(m[3]) + 1}",
    r"backbone\.bb_(\d)_(\d+)\.short\._conv": lambda m: f"{_block(m)}.downsample.1",
    r"backbone\.bb_(\d)_(\d+)\.short\._batch_norm": lambda m: f"{_block(m)}.downsample.2",
    r"head\.conv_bn_relu\._conv": "decode_head.convs.0.conv",
    r"head\.conv_bn_relu\._batch_norm": "decode_head.convs.0.bn",
    r"head\.gru_module\.reduction_dim": "decode_head.units.0.conv_state",
    r"head\.gru_module\.projection_mat": "decode_head.units.0.conv_proj",
    r"head\.gru_module\.(gcn\.conv[12])": r"decode_head.units.0.\1",
    r"head\.gru_module\.extend_dim": "decode_head.units.0.conv_extend",
    r"head\.gru_module\.extend_bn": "decode_head.units.0.blocker",
    r"head\.classifier": "decode_head.conv_seg",
    r"head\.auxlayer\.conv_bn_relu\._conv": "auxiliary_head.convs.0.conv",
    r"head\.auxlayer\.conv_bn_relu\._batch_norm": "auxiliary_head.convs.0.bn",
    r"head\.auxlayer\.conv": "auxiliary_head.conv_seg",
}
_CLASSIFIERS = [f"{head}.conv_seg.weight" for head in ("decode_head", "auxiliary_head")]
_CLASSIFIERS += ["cls_head.fc_cls.weight"]
_STATISTICS = {"_mean": "running_mean", "_variance": "running_var"}
_AUXILIARY_BIAS = "head.auxlayer.conv_bn_relu._conv.bias"
_AUXILIARY_MEAN = "head.auxlayer.conv_bn_relu._batch_norm._mean"


def _from_paddleseg(state: StateDict) -> StateDict:
    """PaddleSeg's GloRe on ResNet-50-vd and ResNet-101-vd to those of ``configs/paddleseg/``.

    The convolution of its auxiliary head has a bias before a BatchNorm, ours has none: the bias
    is subtracted from the running mean, in fp32, which is the same function in evaluation.
    """
    state = dict(state)
    bias, mean = state.get(_AUXILIARY_BIAS), state.get(_AUXILIARY_MEAN)
    if bias is not None and mean is not None and bias.shape == mean.shape:
        state[_AUXILIARY_MEAN] = mean.float() - state.pop(_AUXILIARY_BIAS).float()
    return {_paddleseg_name(name): value for name, value in state.items()}


def _paddleseg_name(name: str) -> str:
    module, _, kind = name.rpartition(".")
    for theirs, ours in _PADDLESEG.items():
        match = re.fullmatch(theirs, module)
        if match:
            own = match.expand(ours) if isinstance(ours, str) else ours(match)
            return f"{own}.{_STATISTICS.get(kind, kind)}"
    return name


def _from_torchvision(state: StateDict) -> StateDict:
    """A ResNet of torchvision, timm or PyTorch-Encoding to ``GloReResNet``, without classifier.

    The blocks have the same names. The deep stem of v1c and v1d is a ``conv1`` of three
    convolutions followed by ``bn1``, here ``stem.0`` to ``stem.7``.
    """
    out = {}
    for name, value in state.items():
        if "conv1.0.weight" in state:
            # conv1.{0,1,3,4,6} keep their numbers; bn1 is the norm of the last, number 7
            name = re.sub(r"^bn1\.", "stem.7.", re.sub(r"^conv1\.", "stem.", name))
        if not name.startswith(("fc.", "head.", "num_batches_tracked")):
            out[name] = value
    return out


def _from_authors(state: StateDict) -> StateDict:
    """The authors' network, or its head (Section 4.1), to an ``EncoderDecoder``.

    The head is ``conv51``, ``gcn.GCN00``, ``gcn.GCN01``, ..., ``conv52`` and ``conv6``, with or
    without the prefix ``head.``; the backbone is PyTorch-Encoding's ResNet in ``pretrained.``.
    """
    prefix, backbone, out = "pretrained.", {}, {}
    for name, value in state.items():
        if name.startswith(prefix):
            backbone[name.removeprefix(prefix)] = value
            continue
        layer = "conv" if value.dim() == 4 else "bn"  # of a Sequential of both and a ReLU
        for theirs, ours in (
            (r"conv51\..*?([^.]+)$", rf"decode_head.convs.0.{layer}.\1"),
            (r"conv52\..*?([^.]+)$", rf"decode_head.convs.1.{layer}.\1"),
            (r"conv6\..*?([^.]+)$", r"decode_head.conv_seg.\1"),
            (r"gcn\.GCN0*(\d+)\.", r"decode_head.units.\1."),
        ):
            name = re.sub(rf"^(?:head\.)?{theirs}", ours, name)
        out[name] = value
    return {f"backbone.{k}": v for k, v in _from_torchvision(backbone).items()} | out


def _from_authors_video(state: StateDict) -> StateDict:
    """A released video network (Section 4.4) to a ``Recognizer3D`` with ``GloReVideoResNet``."""
    heads = {f"classifier.{kind}": f"cls_head.fc_cls.{kind}" for kind in ("weight", "bias")}
    return {heads.get(name, f"backbone.{name}"): value for name, value in state.items()}


SOURCES: Mapping[str, Source] = {
    "authors": Source(_from_authors, backbone_only=False),
    "paddleseg": Source(_from_paddleseg, backbone_only=False),
    "torchvision": Source(_from_torchvision, backbone_only=True),
    "timm": Source(_from_torchvision, backbone_only=True),
    # A classifier, whose backbone has the names of mmseg's.
    "mmpretrain": Source(partial(strip_prefix, prefix="backbone."), backbone_only=True),
    "authors-video": Source(_from_authors_video, backbone_only=False),
}
"""The sources by name."""
