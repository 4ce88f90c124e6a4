"""Files as other programs write them."""

import pickle
from pathlib import Path

from torch import Tensor


def write_pdparams(path: Path, state: dict[str, Tensor], *, protocol: int = 4) -> Path:
    """What ``paddle.save`` makes of a state dict: a pickle of arrays and a table of names."""
    content: dict = {name: value.numpy() for name, value in state.items()}
    content["StructuredToParameterName@@"] = {name: f"linear_{name}" for name in state}
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path
