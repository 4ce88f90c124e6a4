"""Networks as programs of ``torch.export``: they run in torch without this package."""

import io
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram

from glore_seg.export.contract import PROPERTY, Contract


def write_program(path: Path, program: ExportedProgram, contract: Contract) -> None:
    """Write one file with graph, weights and contract.

    Args:
        path: File to write, ``.pt2``.
        program: What :func:`glore_seg.export.tracing.trace` gave.
        contract: What the file carries as its extra file.
    """
    # not to the file: on a full disk torch's writer ends the process
    content = io.BytesIO()
    torch.export.save(program, content, extra_files={PROPERTY: contract.to_json()})
    path.write_bytes(content.getbuffer())


def open_program(path: Path) -> Callable[[Tensor], Tensor]:
    """Open a file of :func:`write_program`; its function takes and gives tensors of its device."""
    return torch.export.load(path).module()
