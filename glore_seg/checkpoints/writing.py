"""Write weights atomically, in the format of the file's ending."""

import io
from pathlib import Path

import torch
from torch import Tensor

from glore_seg.errors import CheckpointError, OutputError
from glore_seg.utils.files import atomic_write
from glore_seg.utils.safetensors_io import write_safetensors

_ENDINGS = (".pth", ".pt", ".safetensors")


def write_state_dict(
    path: str | Path,
    state: dict[str, Tensor],
    *,
    meta: dict[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write names and tensors as mmengine's loaders expect them, or as safetensors.

    Args:
        path: Ends in ``.pth`` or ``.pt`` (torch, under ``state_dict``) or ``.safetensors``.
        state: Names to tensors.
        meta: Texts to store beside them.
        overwrite: Whether to replace an existing file.

    Raises:
        CheckpointError: Another ending.
        OutputError: The file exists and ``overwrite`` is off, or the disk is full or read-only;
            an existing file is unchanged.
        MissingDependencyError: ``.safetensors`` without its library.
    """
    path = Path(path)
    if path.suffix not in _ENDINGS:
        raise CheckpointError(f"{path} ends in {path.suffix!r}; expected one of {_ENDINGS}")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; give another name, or --overwrite")
    with atomic_write(path) as temporary:
        if path.suffix == ".safetensors":
            write_safetensors(temporary, state, meta or {})
        else:
            # In memory first: on a full disk torch's file writer ends the process.
            content = io.BytesIO()
            torch.save({"meta": meta or {}, "state_dict": state}, content)
            temporary.write_bytes(content.getbuffer())
