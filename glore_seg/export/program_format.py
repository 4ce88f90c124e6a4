"""Networks as programs of ``torch.export``: they run in torch without this package."""

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
    torch.export.save(program, path, extra_files={PROPERTY: contract.to_json()})


def open_program(path: Path) -> Callable[[Tensor], Tensor]:
    """Open a file of :func:`write_program`; its function takes and gives tensors of its device."""
    return torch.export.load(path).module()
