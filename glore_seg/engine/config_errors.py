"""What a host raises over a config's values, as one error that says where and what."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config

import glore_seg
from glore_seg.documented_errors import as_line, is_documented
from glore_seg.engine.long_runs.lost_process_hook import lost_connection

# What a Runner builds when it begins to train or to test.
_BUILT_LATER = (
    *("build_train_loop", "build_val_loop", "build_test_loop", "build_dataloader"),
    *("build_optim_wrapper", "build_param_scheduler", "build_evaluator", "build_hook"),
)
_INSTALLED = (
    Path(glore_seg.__file__).parent,
    *{Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
)


@contextmanager
def config_faults(config: Config | str | Path, doing: str) -> Iterator[None]:
    """Turn what is raised within into a ValueError that names the config.

    Hosts answer a wrong value with whatever it leads to: an assertion, a KeyError of a registry, a
    RuntimeError of torch. Errors for the user, see :mod:`glore_seg.documented_errors`, pass as
    they are. So does what went through code that is not installed, once the config has been read:
    whoever writes a component needs the traceback of their mistake.

    Args:
        config: The config, or its file.
        doing: What could not be done, such as ``"build model"``.

    Raises:
        ValueError: The text gives the error, and file and line where it arose.
    """
    try:
        yield
    except Exception as error:  # what a wrong value leads to cannot be foreseen
        is_read = isinstance(config, Config)
        if is_documented(error) or lost_connection(error) is not None:
            raise
        if is_read and _went_through_own_code(error):
            raise
        name = getattr(config, "filename", None) if is_read else config
        raise ValueError(
            f"{name or 'the config'}: cannot {doing} ({type(error).__name__}: {as_line(error)}; "
            f"at {_place(error)}); expected values that this part takes: correct the config, or "
            "--cfg-options"
        ) from error


def name_late_faults(runner: Any, config: Config) -> None:
    """Do the same for what a Runner builds only when it begins.

    Args:
        runner: The Runner.
        config: Its config.
    """
    for name in _BUILT_LATER:
        if hasattr(runner, name):
            setattr(
                runner, name, _named(getattr(runner, name), config, name.removeprefix("build_"))
            )


def _named(build: Callable[..., Any], config: Config, part: str) -> Callable[..., Any]:
    def building(*args: Any, **options: Any) -> Any:
        with config_faults(config, f"build {part}"):
            return build(*args, **options)

    return building


def _went_through_own_code(error: BaseException | None) -> bool:
    """Whether a file outside this package, Python and its packages had a part in it."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            file = Path(trace.tb_frame.f_code.co_filename)
            if file.is_file() and not any(file.is_relative_to(place) for place in _INSTALLED):
                return True
            trace = trace.tb_next
        error = error.__cause__ or error.__context__  # registries raise what they catch anew
    return False


def _place(error: BaseException) -> str:
    """File, in its package, and line."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return "an unknown place"
    return f"{'/'.join(Path(last.tb_frame.f_code.co_filename).parts[-3:])}:{last.tb_lineno}"
