"""The safetensors format, where its library is installed (extra ``[hub]``)."""

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
        CheckpointError: There is no such file.
        MissingDependencyError: The library is not installed.
        CheckpointError: The file is damaged.
    """
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def read_safetensors_meta(path: str | Path) -> dict[str, str]:
    """Read the texts beside the tensors; raises as :func:`read_safetensors` does."""
    with _opened(path) as file:
        return file.metadata() or {}


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    library = require("safetensors", "hub")
    if not Path(path).is_file():
        raise CheckpointError(f"checkpoint {path} not found; give the path of a file")
    try:
        with library.safe_open(str(path), framework="pt", device="cpu") as file:
            yield file
    except Exception as error:  # its own SafetensorError has no class that is public everywhere
        raise CheckpointError(f"{path} is damaged or no safetensors file ({error})") from error


def write_safetensors(path: Path, state: dict[str, Tensor], meta: dict[str, str]) -> None:
    """Write names and tensors, with texts beside them.

    Raises:
        MissingDependencyError: The library is not installed.
    """
    # Tensors that share memory, or views, are refused by the library: each gets its own.
    library: Any = require("safetensors.torch", "hub")
    own = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}
    # its save_file has errors of its own for a full disk
    path.write_bytes(library.save(own, metadata={"format": "pt", **meta}))
