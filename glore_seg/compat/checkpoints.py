"""Checkpoints of mmengine's Runner are read with ``weights_only=True``, and with nothing else.

Since torch 2.6 ``torch.load`` refuses what is not on its list. A Runner's checkpoint also holds
logs (``HistoryBuffer``), NumPy scalars and the annealing function of a one-cycle schedule. These
are put on the list, for the whole process. Functions of classes travel in a pickle as
``getattr(cls, name)``; the builtin would hand a hostile file the whole interpreter, so a stand-in
takes its place that knows six pairs of class and name.

Whoever keeps further objects in checkpoints and trusts their classes adds them by
``torch.serialization.add_safe_globals``.
"""

import functools
import importlib
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from glore_seg.compat.array_pickles import NUMPY_STAND_INS, PickledArray, PickledDtype
from glore_seg.compat.patch import CannotPatchError, Patch
from glore_seg.compat.torch_api import FULLY_SUPPORTED, TORCH, add_safe_globals, require_torch
from glore_seg.errors import CheckpointError, ConfigError
from glore_seg.utils.files import corruption_reason
from glore_seg.utils.safetensors_io import read_safetensors, read_safetensors_meta

_ARCHIVE = b"PK\3\4"
_ONE_CYCLE = "mmengine.optim.scheduler.param_scheduler"
_STATISTICS = ("min", "max", "current", "mean")
_ANNEALING = ("_annealing_cos", "_annealing_linear")


class PickledOneCycle:
    """Stands for ``OneCycleParamScheduler``, whose import takes long."""


class CheckpointHistoryBuffer(HistoryBuffer):
    """Stands for ``HistoryBuffer`` while a checkpoint is read, then turns into it.

    ``HistoryBuffer`` takes its table of statistics, which all buffers share, from the file. Here a
    file may name the statistics that this process has, not change them.
    """

    def __setstate__(self, state: dict) -> None:
        methods = state.get("statistics_methods", {}) if isinstance(state, dict) else None
        if not isinstance(methods, dict):
            raise pickle.UnpicklingError(
                f"state of a HistoryBuffer in the checkpoint: expected a dict, got a "
                f"{type(state).__name__}"
            )
        known = {name: getattr(HistoryBuffer, name) for name in _STATISTICS}
        known.update(HistoryBuffer._statistics_methods)
        for name, method in methods.items():
            if method is not known.get(name):
                raise pickle.UnpicklingError(
                    f"a HistoryBuffer in the checkpoint brings its own statistic {name!r}; "
                    "register it with HistoryBuffer.register_statistics before loading"
                )
        for name in state:
            if hasattr(HistoryBuffer, str(name)):
                raise pickle.UnpicklingError(
                    f"a HistoryBuffer in the checkpoint overrides {name!r} of its class"
                )
        # Arrays of the class that others know.
        state = {
            name: np.array(value, subok=False) if isinstance(value, PickledArray) else value
            for name, value in state.items()
        }
        super().__setstate__(state)
        self.__class__ = HistoryBuffer


def restricted_getattr(*args: Any) -> Any:
    """What stands for ``builtins.getattr`` while a checkpoint is read.

    Args:
        *args: A class and a name: ``HistoryBuffer`` with min, max, current or mean;
            ``OneCycleParamScheduler`` with its two annealing functions.

    Returns:
        The class's function.

    Raises:
        pickle.UnpicklingError: For everything else.
    """
    if len(args) == 2 and type(args[1]) is str:
        owner, name = args
        if (owner is HistoryBuffer or owner is CheckpointHistoryBuffer) and name in _STATISTICS:
            return getattr(HistoryBuffer, name)
        if owner is PickledOneCycle and name in _ANNEALING:
            return getattr(importlib.import_module(_ONE_CYCLE).OneCycleParamScheduler, name)
    raise pickle.UnpicklingError(
        "the checkpoint asks for getattr of something, which is refused; expected a statistic of "
        "HistoryBuffer or an annealing function of OneCycleParamScheduler"
    )


def safe_globals() -> list[Any]:
    """What a Runner's checkpoints hold beyond tensors, in the form that torch takes."""
    history = "mmengine.logging.history_buffer.HistoryBuffer"
    return [
        (CheckpointHistoryBuffer, history),
        (restricted_getattr, "builtins.getattr"),
        (PickledOneCycle, f"{_ONE_CYCLE}.OneCycleParamScheduler"),
        *((stand_in, name) for name, stand_in in NUMPY_STAND_INS.items()),
        # torch asks whether it may set the state of these
        PickledArray,
        PickledDtype,
    ]


def load_weights(file: Any, map_location: Any = None, weights_only: bool | None = True) -> Any:
    """``torch.load`` that never unpickles freely, whatever torch's default or the caller asks.

    Args:
        file: A path or an open binary file.
        map_location: As in ``torch.load``.
        weights_only: Must not be False.

    Raises:
        MissingDependencyError: If torch is older than 2.4.
        ConfigError: If ``weights_only`` is False.
        CheckpointError: If the file holds objects that are not on torch's list, is corrupted, or
            is no checkpoint.
        OSError: If it cannot be opened.
    """
    if weights_only is False:
        raise ConfigError(
            "weights_only=False would run code from the checkpoint; expected True. Classes that "
            "you trust can be added by torch.serialization.add_safe_globals"
        )
    _check_sums(file)
    require_torch("reading a checkpoint without running code from it")
    # Again at each reading: leaving somebody's safe_globals() context takes shared entries away.
    add_safe_globals(safe_globals())
    try:
        return torch.load(file, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{file} is not loaded: it holds something other than weights and mmengine's training "
            "state, or it is not a checkpoint. Classes that you trust can be added by "
            f"torch.serialization.add_safe_globals. torch says: {_reason(error)}"
        ) from error
    except OSError:
        raise
    except Exception as error:  # what a corrupted file raises cannot be foreseen
        raise CheckpointError(
            f"{file} cannot be read as a checkpoint of torch ({type(error).__name__}: {error}): it "
            "is corrupted, something else, or asks for more memory than there is; download it "
            "again. .pdparams and .safetensors files are known by these endings"
        ) from error


def _reason(error: pickle.UnpicklingError) -> str:
    """The line of torch's message that names what it refused."""
    message = str(error).partition("\n\nCheck the documentation")[0]
    return re.split(r"WeightsUnpickler error:|\n\n", message)[-1].strip().partition("\n")[0]


def _check_sums(file: Any) -> None:
    """Refuse an archive with other checksums than its content's, which torch does not look at."""
    if not isinstance(file, str | os.PathLike) or not os.path.isfile(file):
        return
    with open(file, "rb") as opened:
        if opened.read(len(_ARCHIVE)) != _ARCHIVE:  # of torch before 1.6, which has no checksums
            return
    reason = corruption_reason(Path(file))
    if reason is not None:
        raise CheckpointError(
            f"{file} cannot be read as a checkpoint of torch: it is corrupted ({reason}); download "
            "it again, or take an earlier one"
        )


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Loader for files in place of mmengine's, with ``weights_only=True``, and for safetensors.

    Args:
        filename: Path of the checkpoint; ``~`` is expanded. One that ends in ``.safetensors`` is
            read as such, and its texts become the ``meta`` of a Runner's checkpoint.
        map_location: As in ``torch.load``; tensors of safetensors come on the CPU.

    Raises:
        CheckpointError: If there is no such file, it is corrupted, no checkpoint, or would run
            code.
        MissingDependencyError: If it is a ``.safetensors`` file and the library is not installed,
            or torch is older than 2.4.
    """
    path = os.path.expanduser(filename)
    if not os.path.isfile(path):
        raise CheckpointError(
            f"checkpoint {path} not found; expected the path of a .pth or .safetensors file"
        )
    if path.endswith(".safetensors"):
        return {"state_dict": read_safetensors(path), "meta": read_safetensors_meta(path)}
    return load_weights(path, map_location)


def load_url(original: Callable[..., Any], url: str, *args: Any, **kwargs: Any) -> Any:
    """``load_url`` of mmengine, with ``weights_only=True``, which is not torch.hub's default.

    Raises:
        CheckpointError: The address cannot be reached.
    """
    try:
        return original(url, *args, **kwargs, weights_only=True)
    except URLError as error:
        folder = kwargs.get("model_dir") or Path(torch.hub.get_dir(), "checkpoints")
        raise CheckpointError(
            f"{url} cannot be downloaded ({error.reason}): download it where there is a network, "
            f"and put it into {folder}, or give its path in place of the address"
        ) from error


def _not_needed() -> str:
    if TORCH < FULLY_SUPPORTED:
        raise CannotPatchError(
            f"torch {torch.__version__} is older than 2.4: mmengine's own loader reads "
            "checkpoints, and runs code that they hold"
        )
    return ""


def _apply_globals() -> None:
    add_safe_globals(safe_globals())


def _apply_loader() -> None:
    upstream: Any = importlib.import_module("mmengine.runner.checkpoint")
    upstream.CheckpointLoader.register_scheme(prefixes="", loader=load_from_local, force=True)
    upstream.load_from_local = load_from_local
    upstream.load_url = functools.partial(load_url, upstream.load_url)
    if hasattr(upstream, "_safe_torch_load"):  # onedl-mmengine, whose own falls back to False
        upstream._safe_torch_load = load_weights


GLOBALS = Patch(
    name="checkpoint globals",
    reason="resume, load_from and init_model with torch >= 2.6: Weights only load failed",
    upstream="mmengine",
    not_needed=_not_needed,
    apply=_apply_globals,
)
LOADER = Patch(
    name="checkpoint loader",
    reason="files and downloads are read with weights_only=True, never with less; safetensors too",
    upstream="mmengine",
    not_needed=_not_needed,
    apply=_apply_loader,
    module="mmengine.runner.checkpoint",
)
