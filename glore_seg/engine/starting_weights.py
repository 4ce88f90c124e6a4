"""The weights that a training begins with, named where they are missing and needed."""

import logging
from collections.abc import Iterator
from traceback import walk_tb
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner, find_latest_checkpoint

from glore_seg.documented_errors import as_line
from glore_seg.models.backbones.pretrained import MissingWeightsError, missing_weights


def guard_starting_weights(runner: Any, cfg: Config) -> None:
    """Name the weights that a Runner's network can't get as it is initialized.

    A training that goes on from a checkpoint takes all weights from there, so that those it once
    began with may be gone.

    Args:
        runner: A Runner, or mmengine's FlexibleRunner, which needs them there, too.
        cfg: Its config.
    """
    owner = getattr(runner, "strategy", runner)  # of FlexibleRunner
    initialize = getattr(owner, "_init_model_weights", None)
    if initialize is None:
        return

    def guarded(*arguments: Any) -> Any:
        try:
            return initialize(*arguments)
        except OSError as error:
            checkpoint = _loaded(error)
            if checkpoint is None and not isinstance(error, MissingWeightsError):
                raise
            if isinstance(runner, Runner) and _goes_on(runner):
                print_log(
                    f"the weights that this training began with are not there ({as_line(error)}); "
                    "all are taken from the checkpoint that it goes on from",
                    logger="current",
                    level=logging.WARNING,
                )
                return None
            if checkpoint is None:
                raise
            options = (*_keys_of(cfg.get("model"), checkpoint, "model"), None)
            raise missing_weights(checkpoint, error, options[0]) from error

    owner._init_model_weights = guarded


def _goes_on(runner: Runner) -> bool:
    if not runner._resume:
        return False
    return runner._load_from is not None or find_latest_checkpoint(runner.work_dir) is not None


def _loaded(error: BaseException) -> str | None:
    """What mmengine was loading when an error arose; None where it loaded nothing."""
    for frame, _ in walk_tb(error.__traceback__):
        name = frame.f_locals.get("filename")
        if frame.f_code.co_name == "load_checkpoint" and isinstance(name, str):
            return name
    return None


def _keys_of(node: Any, value: str, key: str) -> Iterator[str]:
    """The dotted keys of a config that have a value."""
    if node == value:
        yield key
    named = node.items() if isinstance(node, dict) else ()
    listed = enumerate(node) if isinstance(node, list | tuple) else ()
    for name, inner in (*named, *listed):
        yield from _keys_of(inner, value, f"{key}.{name}")
