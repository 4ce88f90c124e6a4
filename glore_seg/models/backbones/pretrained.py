"""Pretrained weights that must fit, where mmengine would go on with a warning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from glore_seg.checkpoints import compare_state_dicts
from glore_seg.checkpoints.comparison import some
from glore_seg.errors import CheckpointError, ConfigError


class MissingWeightsError(CheckpointError):
    """Pretrained weights can neither be found nor downloaded."""


def missing_weights(checkpoint: str, error: OSError, option: str | None) -> MissingWeightsError:
    """Say what to do about pretrained weights that can't be had.

    Args:
        checkpoint: Their path or address.
        error: What became of the attempt.
        option: The config's key that has the address; None where it has none.

    Returns:
        The error to raise.
    """
    ways = "give the path of a file in the config, or leave them out"
    if option is not None:
        ways = (
            "either download them where there is a network and give the path (--cfg-options "
            f"{option}=/path/to/weights.pth), or train from scratch (--cfg-options "
            f"{option.removesuffix('.checkpoint')}=None)"
        )
    return MissingWeightsError(
        f"cannot get the pretrained weights {checkpoint!r} ({error}): {ways}"
    )


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
        MissingWeightsError: The file can neither be found nor downloaded.
        ConfigError: It holds no weights, nothing in it begins with the prefix, or it is of another
            network.
    """
    try:
        loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu")
    except OSError as error:
        raise missing_weights(checkpoint, error, "model.backbone.init_cfg.checkpoint") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict):
        raise ConfigError(
            f"{checkpoint} holds no state_dict of names to tensors; give a checkpoint of training"
        )
    # Not all of a bare file need be weights.
    names = {k.removeprefix("module."): v for k, v in state.items() if isinstance(v, Tensor)}
    found = {k.removeprefix(prefix): v for k, v in names.items() if k.startswith(prefix)}
    if not found:
        raise ConfigError(
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
        raise ConfigError(
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
