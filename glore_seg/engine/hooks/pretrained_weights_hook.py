"""Pretrained weights: refused before a training where they are missing, not needed to resume."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner, find_latest_checkpoint
from torch import nn

from glore_seg.models.backbones.pretrained import missing_weights


@HOOKS.register_module()
class PretrainedWeightsHook(Hook):
    """Looks for the files of ``init_cfg=dict(type="Pretrained")`` and ``pretrained`` of a network.

    A resumed training takes all weights from its checkpoint, so its pretrained weights are neither
    loaded nor needed. Addresses with ``://`` are left to upstream.

    Raises:
        CheckpointError: A file is missing; the text names the config key.
    """

    priority = "LOWEST"  # after AtomicCheckpointHook, which decides whether the training resumes

    def before_run(self, runner: Runner) -> None:
        """Check the files of a new training, or drop them from one that resumes."""
        if not isinstance(runner, Runner) or not isinstance(runner._train_loop, BaseLoop):
            return
        resumes = runner._resume and bool(
            runner._load_from or find_latest_checkpoint(runner.work_dir)
        )
        for owner, key, checkpoint in _pretrained(runner.model):
            if resumes:
                setattr(owner, key, None)
            elif "://" not in checkpoint and not Path(checkpoint).exists():
                options = [*_keys_of(runner.cfg.get("model"), checkpoint, "model")]
                raise missing_weights(checkpoint, "no such file", next(iter(options), None))


def _pretrained(model: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    """The modules with pretrained weights, their attribute, and the path or address."""
    for module in model.modules():
        init_cfg = getattr(module, "init_cfg", None)
        for one in init_cfg if isinstance(init_cfg, list) else [init_cfg]:
            if isinstance(one, dict) and one.get("type") == "Pretrained" and one.get("checkpoint"):
                yield module, "init_cfg", one["checkpoint"]
        path = getattr(module, "pretrained", None)
        if isinstance(path, str):
            yield module, "pretrained", path


def _keys_of(node: Any, value: str, key: str) -> Iterator[str]:
    """The dotted keys of a config that have a value."""
    if node == value:
        yield key
    items = dict(enumerate(node)) if isinstance(node, list | tuple) else node
    for name, inner in items.items() if isinstance(items, dict) else ():
        yield from _keys_of(inner, value, f"{key}.{name}")
