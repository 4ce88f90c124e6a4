"""Pretrained weights that must fit the network; mmengine only warns where they do not."""

import logging
from collections.abc import Collection, Mapping
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from glore_seg.checkpoints import compare_state_dicts
from glore_seg.checkpoints.comparison import some
from glore_seg.checkpoints.configs import recorded_config
from glore_seg.errors import CheckpointError
from glore_seg.layers.extra_units import hidden_options


def missing_weights(checkpoint: str, reason: object, option: str | None) -> CheckpointError:
    """The error for pretrained weights that cannot be read; ``option`` is their config key."""
    fix = "give the path of a file in the config, or leave them out"
    if option is not None:
        fix = (
            f"download them and add --cfg-options {option}=/path/to/weights.pth, or train from "
            f"scratch with --cfg-options {option.removesuffix('.checkpoint')}=None"
        )
    return CheckpointError(f"cannot load the pretrained weights {checkpoint!r} ({reason}): {fix}")


def load_pretrained(
    network: nn.Module,
    checkpoint: str,
    *,
    prefix: str = "",
    optional: Collection[str] = (),
    ignored: Collection[str] = (),
) -> tuple[set[str], Mapping[str, Any]]:
    """Load a checkpoint, read with ``weights_only=True``, into a network.

    Args:
        network: Receives the weights.
        checkpoint: Path or URL.
        prefix: Prefix of the network's names in the checkpoint, such as ``"backbone."``; names
            without it are ignored.
        optional: Modules of the network that the checkpoint may lack, by their dotted names.
        ignored: Modules of the checkpoint that the network may lack.

    Returns:
        The optional modules that the checkpoint lacks, and its ``meta``.

    Raises:
        CheckpointError: The file is missing, cannot be downloaded or read, has no names with the
            prefix, or is of another network.
    """
    try:
        loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location="cpu")
    except (CheckpointError, OSError) as error:
        raise missing_weights(checkpoint, error, "model.backbone.init_cfg.checkpoint") from error
    state = loaded.get("state_dict", loaded)
    names = {k.removeprefix("module."): v for k, v in state.items() if isinstance(v, Tensor)}
    found = {k.removeprefix(prefix): v for k, v in names.items() if k.startswith(prefix)}
    if not found:
        raise CheckpointError(
            f"{checkpoint} has no names with the prefix {prefix!r}, but {some(list(names))}. Set "
            "init_cfg.prefix to the prefix of the backbone's names, or leave it out"
        )
    wanted = network.state_dict()
    found = {k: v for k, v in found.items() if k in wanted or not _is_in(k, ignored)}
    new = {module for module in optional if not any(_is_in(k, (module,)) for k in found)}
    comparison = compare_state_dicts({k: wanted[k] for k in wanted if not _is_in(k, new)}, found)
    if comparison.differences():
        fix = "Set arch, stem, width and units of the backbone as those of the checkpoint"
        if not prefix and any(name.startswith("backbone.") for name in names):
            fix = "Set init_cfg.prefix='backbone.': the checkpoint is of a classifier"
        raise CheckpointError(
            f"{checkpoint} is of another network than this {type(network).__name__}: "
            f"{comparison}. {fix}"
        )
    network.load_state_dict(found, strict=False)
    print_log(
        f"loaded {len(found)} tensors of {checkpoint}; new are {', '.join(sorted(new)) or 'none'}",
        logger="current",
    )
    return new, loaded.get("meta") or {}


def check_pretrained_units(
    checkpoint: str, meta: Mapping[str, Any], hidden: Mapping[str, Any]
) -> None:
    """Refuse units that were trained with other options that weights do not show (``normalize``).

    These are read from the config in the checkpoint's ``meta``, which is parsed, never run; without
    it, a warning is logged. ``hidden`` are the :func:`hidden_options` of the network's units.
    """
    trained = _trained_options(meta)
    if trained is None:
        print_log(
            f"{checkpoint} does not record the options of its units; here they are "
            f"{_listed(hidden)}. The released classifiers have normalize=False: compare, the same "
            "weights fit both",
            logger="current",
            level=logging.WARNING,
        )
    elif trained != hidden:
        raise CheckpointError(
            f"{checkpoint} was trained with units of {_listed(trained)}, this backbone has "
            f"{_listed(hidden)}: the same weights would compute something else. Set "
            "model.backbone.unit_type and unit_cfg as there, or train the classifier with those "
            "of this backbone; segmentation, whose images vary in size, needs normalize=True"
        )


def _trained_options(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    """Hidden options in a checkpoint's config; None without a config of such a backbone."""
    cfg = recorded_config(meta)
    backbone = cfg.model.get("backbone") if cfg else None
    if not isinstance(backbone, dict) or "GloRePreActNet" not in str(backbone.get("type")):
        return None
    return hidden_options(backbone.get("unit_type", "glore"), backbone.get("unit_cfg") or {})


def _is_in(name: str, modules: Collection[str]) -> bool:
    return any(name.startswith(f"{module}.") for module in modules)


def _listed(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items())
