"""Read and write safetensors files, with the library of the extra ``[hub]``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from glore_seg.errors import CheckpointError
from glore_seg.utils.dependencies import require


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """Read names and tensors.

    Raises:
        CheckpointError: The file is missing or corrupted.
        MissingDependencyError: The library is not installed.
    """
    with _open(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def read_safetensors_meta(path: str | Path) -> dict[str, str]:
    """Read the metadata; raises as :func:`read_safetensors`."""
    with _open(path) as file:
        return file.metadata() or {}


@contextmanager
def _open(path: str | Path) -> Iterator[Any]:
    library = require("safetensors", "hub")
    if not Path(path).is_file():
        raise CheckpointError(f"checkpoint {path} not found; give the path of a file")
    try:
        with library.safe_open(str(path), framework="pt", device="cpu") as file:
            yield file
    except Exception as error:  # SafetensorError is not public in all versions
        raise CheckpointError(f"{path} is corrupted or not a safetensors file ({error})") from error


def write_safetensors(path: Path, state: dict[str, Tensor], meta: dict[str, str]) -> None:
    """Write names, tensors and metadata.

    Raises:
        MissingDependencyError: The library is not installed.
    """
    # the library rejects views and tensors that share memory
    library: Any = require("safetensors.torch", "hub")
    own = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}
    # not by save_file, which hides OSError of a full disk
    path.write_bytes(library.save(own, metadata={"format": "pt", **meta}))
