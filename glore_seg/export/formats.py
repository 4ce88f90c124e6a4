"""Write networks as ONNX files or ``torch.export`` programs, and open such files."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from glore_seg.errors import ConfigError
from glore_seg.export.contract import PROPERTY, Contract
from glore_seg.export.tracing import with_exact_pooling
from glore_seg.utils.dependencies import require

EXTRA = "export"


def require_onnx() -> None:
    """Raise a MissingDependencyError if a package for ONNX files is not installed."""
    for module in ("onnx", "onnxscript", "onnxruntime"):
        require(module, EXTRA)


def write_onnx(
    path: Path,
    program: ExportedProgram,
    contract: Contract,
    *,
    axes: dict[int, str],
    opset: int | None,
) -> None:
    """Write one file with graph, weights and, as metadata property, the contract.

    ``axes`` names the input's dynamic axes; the default ``opset`` is torch's.

    Raises:
        torch.onnx.errors.OnnxExporterError: ONNX lacks an operator of the network.
        ConfigError: torch cannot write the network in this opset.
    """
    exported: Any = torch.onnx.export(
        with_exact_pooling(program),
        dynamo=True,
        input_names=["image"],
        output_names=[contract.output],
        dynamic_shapes={"image": axes},
        opset_version=opset,
        verbose=False,
    )
    found = exported.model.opset_imports[""]
    if opset is not None and found != opset:  # torch only warns
        raise ConfigError(
            f"--opset is {opset}, but torch writes this network only in opset {found}: leave it "
            f"out, or give {found}"
        )
    exported.model.metadata_props[PROPERTY] = contract.to_json()
    exported.save(path, external_data=False)


def open_onnx(path: Path) -> Callable[[Tensor], Tensor]:
    """Open a file in onnxruntime on the CPU, as a function of a tensor on any device."""
    onnxruntime = require("onnxruntime", EXTRA)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised as well
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda image: torch.from_numpy(session.run(None, {"image": image.cpu().numpy()})[0])


def write_program(path: Path, program: ExportedProgram, contract: Contract) -> None:
    """Write one ``.pt2`` file, which runs in torch without this package."""
    # In memory first: on a full disk torch's file writer ends the process.
    content = io.BytesIO()
    torch.export.save(program, content, extra_files={PROPERTY: contract.to_json()})
    path.write_bytes(content.getbuffer())


def open_program(path: Path) -> Callable[[Tensor], Tensor]:
    """Open a file of :func:`write_program`, as a function of a tensor on its device."""
    return torch.export.load(path).module()
