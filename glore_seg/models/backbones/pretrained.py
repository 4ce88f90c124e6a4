"""Pretrained weights that must fit, where mmengine would go on with a warning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from glore_seg.checkpoints import compare_state_dicts
from glore_seg.checkpoints.comparison import some
from glore_seg.errors import CheckpointError


def missing_weights(checkpoint: str, reason: object, option: str | None) -> CheckpointError:
    """The error for pretrained weights that are missing or cannot be downloaded.

    Args:
        checkpoint: Their path or address.
        reason: What went wrong.
        option: The config key of ``checkpoint``, if there is one.
    """
    fix = "give the path of a file in the config, or leave them out"
    if option is not None:
        fix = (
            f"download them and add --cfg-options {option}=/path/to/weights.pth, or train from "
            f"scratch with --cfg-options {option.removesuffix('.checkpoint')}=None"
        )
    return CheckpointError(f"cannot load the pretrained weights {checkpoint!r} ({reason}): {fix}")


@dataclass(frozen=True)
class Pretrained:
    """What was loaded.

    Args:
        new: The optional modules that the checkpoint lacks.
        meta: What the checkpoint holds beside the weights.
    """

    new: tuple[str, ...]
    meta: Mapping[str, Any]


def load_pretrained(
    network: nn.Module,
    checkpoint: str,
    *,
    prefix: str = "",
    optional: tuple[str, ...] = (),
    ignored: tuple[str, ...] = (),
) -> Pretrained:
    """Load a checkpoint into a network, or say what keeps it out.

    The file is read with ``weights_only=True``.

    Args:
        network: What takes the weights.
        checkpoint: Path or address.
        prefix: What the names in the checkpoint begin with beyond the network's own, such as
            ``"backbone."``; others are passed over.
        optional: Modules of the network that the checkpoint may lack, by their dotted names.
        ignored: Modules of the checkpoint that the network may lack.

    Returns:
        What is new, and what the checkpoint says of itself.

    Raises:
        CheckpointError: The file is missing, cannot be downloaded, holds no weights or none with
            the prefix, or is of another network.
    """
    try:
        loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu")
    except OSError as error:
        raise missing_weights(checkpoint, error, "model.backbone.init_cfg.checkpoint") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict):
        raise CheckpointError(
            f"{checkpoint} holds no state_dict of names to tensors; give a checkpoint of training"
        )
    # Not all of a bare file need be weights.
    names = {k.removeprefix("module."): v for k, v in state.items() if isinstance(v, Tensor)}
    found = {k.removeprefix(prefix): v for k, v in names.items() if k.startswith(prefix)}
    if not found:
        raise CheckpointError(
            f"{checkpoint} holds nothing that begins with the prefix {prefix!r}, but "
            f"{some(list(names))}. Set init_cfg.prefix to what its names have before those of the "
            "backbone, or leave it out"
        )
    wanted = network.state_dict()
    found = {k: v for k, v in found.items() if k in wanted or not _is_in(k, ignored)}
    new = tuple(module for module in optional if not any(_is_in(k, (module,)) for k in found))
    needed = {k: v for k, v in wanted.items() if not _is_in(k, new)}
    comparison = compare_state_dicts(needed, found)
    if comparison.faults():
        raise CheckpointError(
            f"{checkpoint} is of another network than this {type(network).__name__} "
            f"({comparison.summary()}; {'; '.join(comparison.faults())}). {_hint(names, prefix)}"
        )
    network.load_state_dict(found, strict=False)
    print_log(
        f"loaded {len(found)} tensors of {checkpoint}; new are {', '.join(new) or 'none'}",
        logger="current",
    )
    meta = loaded.get("meta")
    return Pretrained(new, meta if isinstance(meta, dict) else {})


def _is_in(name: str, modules: tuple[str, ...]) -> bool:
    return any(name.startswith(f"{module}.") for module in modules)


def _hint(names: dict[str, Tensor], prefix: str) -> str:
    if not prefix and any(name.startswith("backbone.") for name in names):
        return "Set init_cfg.prefix='backbone.': the checkpoint is of a whole classifier"
    return "Set the backbone's arch, stem, width and units as those of the checkpoint"
