"""The safetensors format, where its library is installed (extra ``[hub]``)."""

from pathlib import Path
from typing import Any

from torch import Tensor

from glore_seg.extras import require


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """Read names and tensors.

    Raises:
        MissingExtraError: The library is not installed.
        ValueError: The file is damaged.
    """
    library = _library()
    try:
        return library.load_file(str(path), device="cpu")
    except Exception as error:  # its own SafetensorError has no class that is public everywhere
        raise ValueError(f"{path} is damaged or no safetensors file ({error})") from error


def write_safetensors(path: Path, state: dict[str, Tensor], meta: dict[str, str]) -> None:
    """Write names and tensors, with texts beside them.

    Raises:
        MissingExtraError: The library is not installed.
    """
    # Tensors that share memory, or views, are refused by the library: each gets its own.
    own = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}
    _library().save_file(own, str(path), metadata={"format": "pt", **meta})


def _library() -> Any:
    return require("safetensors.torch", "hub")
