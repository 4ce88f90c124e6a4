"""What a host raises over a config's values, as one error that says where and what."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import OPTIMIZERS, init_default_scope

from glore_seg.datasets.guarded_dataset import guarded
from glore_seg.documented_errors import as_line, is_documented, place_of, went_through_own_code
from glore_seg.engine.corrupted_samples import death_of_worker
from glore_seg.engine.data_errors import explain_data_error
from glore_seg.engine.hooks.peer_heartbeat_hook import lost_connection
from glore_seg.engine.network_errors import LATE

# What a Runner builds when it begins to train or to test.
_BUILT_LATER = (
    *("build_train_loop", "build_val_loop", "build_test_loop", "build_dataloader"),
    *("build_optim_wrapper", "build_param_scheduler", "build_evaluator", "build_hook"),
)

_OF_THE_MACHINE = (MemoryError, torch.cuda.OutOfMemoryError, *LATE)


@contextmanager
def config_faults(config: Config | str | Path, doing: str) -> Iterator[None]:
    """Turn what is raised within into a ValueError that names the config.

    Hosts answer a wrong value with whatever it leads to: an assertion, a KeyError of a registry, a
    RuntimeError of torch. Errors for the user, see :mod:`glore_seg.documented_errors`, pass as
    they are. So does what went through code that is not installed, once the config has been read:
    whoever writes a component needs the traceback of their mistake. And so does what no value is to
    blame for: too little memory, a lost process, the death of a data worker.

    Args:
        config: The config, or its file.
        doing: What could not be done, such as ``"build model"``.

    Raises:
        ValueError: The text gives the error, and file and line where it arose.
    """
    try:
        yield
    except Exception as error:  # what a wrong value leads to cannot be foreseen
        explained = explain_data_error(error)
        if explained is not None:
            raise ValueError(explained) from error
        is_read = isinstance(config, Config)
        if is_documented(error) or isinstance(error, _OF_THE_MACHINE):
            raise
        if lost_connection(error) is not None or death_of_worker(error) is not None:
            raise
        if is_read and went_through_own_code(error):
            raise
        name = getattr(config, "filename", None) if is_read else config
        raise ValueError(
            f"{name or 'the config'}: cannot {doing} ({type(error).__name__}: {as_line(error)}; "
            f"at {place_of(error)}); expected values that this part takes: correct the config, or "
            "--cfg-options"
        ) from error


def name_late_faults(runner: Any, config: Config) -> None:
    """Do the same for what a Runner builds only when it begins, and for its data and metrics.

    Samples that cannot be had while it validates or tests are told by
    :class:`glore_seg.datasets.guarded_dataset.GuardedDataset`.

    Args:
        runner: The Runner.
        config: Its config.
    """
    for split in ("val", "test"):
        loader = getattr(runner, f"_{split}_dataloader", None)
        if isinstance(loader, dict):
            part = f"{split}_dataloader"
            setattr(runner, f"_{part}", guarded(loader, part))
    for name in _BUILT_LATER:
        if hasattr(runner, name):
            setattr(
                runner, name, _named(getattr(runner, name), config, name.removeprefix("build_"))
            )


def _named(build: Callable[..., Any], config: Config, part: str) -> Callable[..., Any]:
    def building(*args: Any, **options: Any) -> Any:
        if part == "optim_wrapper":
            _check_optimizer(config)
        with config_faults(config, f"build {part}"):
            built = build(*args, **options)
        if isinstance(getattr(built, "evaluator", None), Evaluator):
            _name_metrics(built.evaluator, config, part.replace("loop", "evaluator"))
        return built

    return building


def _check_optimizer(config: Config) -> None:
    """Refuse an unknown name, at which mmengine's error names nothing."""
    name = ((config.get("optim_wrapper") or {}).get("optimizer") or {}).get("type")
    if not isinstance(name, str):
        return
    init_default_scope(config.get("default_scope") or "mmseg")
    if OPTIMIZERS.get(name) is None:
        known = sorted(OPTIMIZERS.module_dict)
        close = difflib.get_close_matches(name, known, n=3) or known
        raise ValueError(
            f"optim_wrapper.optimizer.type is {name!r}, which is no registered optimizer; expected "
            f"one such as {', '.join(close)}"
        )


def _name_metrics(evaluator: Evaluator, config: Config, part: str) -> None:
    for name in ("process", "evaluate"):
        method = getattr(evaluator, name)

        def scoring(*args: Any, method: Any = method, **options: Any) -> Any:
            with config_faults(config, f"score with {part}"):
                return method(*args, **options)

        setattr(evaluator, name, scoring)
