"""Write weights, aside and renamed, in the format that the ending of the name tells."""

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
    """Write names and tensors as mmengine's loaders take them, or as safetensors.

    Args:
        path: Ends in ``.pth`` or ``.pt`` (torch, under ``state_dict``) or ``.safetensors``.
        state: Names to tensors.
        meta: Texts to keep beside them, such as the source.
        overwrite: Whether a file of that name may be replaced.

    Raises:
        CheckpointError: Another ending.
        OutputError: The file is there and ``overwrite`` is off.
        ImportError: ``.safetensors`` without its library.
        OutputError: The disk is full or read-only; a file of that name is as it was.
    """
    path = Path(path)
    if path.suffix not in _ENDINGS:
        raise CheckpointError(f"{path} ends in {path.suffix!r}; expected one of {_ENDINGS}")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; give another name, or say --overwrite")
    with atomic_write(path) as aside:
        if path.suffix == ".safetensors":
            write_safetensors(aside, state, meta or {})
        else:
            # not to the file: on a full disk torch's writer ends the process
            content = io.BytesIO()
            torch.save({"meta": meta or {}, "state_dict": state}, content)
            aside.write_bytes(content.getbuffer())
