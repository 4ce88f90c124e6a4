"""Networks as ONNX files, and such files in onnxruntime."""

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
# What torch's exporter is written for; it converts to others afterwards.
_LEAST_OPSET = 18


def check_opset(opset: int | None) -> None:
    """Refuse what cannot be exported here, before anything slow.

    Args:
        opset: Of the file; None for torch's own choice.

    Raises:
        MissingDependencyError: onnx, onnxscript or onnxruntime is not installed.
        ConfigError: The installed onnx or torch does not have the opset.
    """
    onnx = require("onnx", EXTRA)
    for module in ("onnxscript", "onnxruntime"):
        require(module, EXTRA)
    greatest = onnx.defs.onnx_opset_version()
    if opset is not None and not _LEAST_OPSET <= opset <= greatest:
        raise ConfigError(
            f"--opset is {opset}; expected {_LEAST_OPSET} to {greatest}, which the installed onnx "
            f"{onnx.__version__} has: leave it out for torch's own choice"
        )


def write_onnx(
    path: Path,
    program: ExportedProgram,
    contract: Contract,
    *,
    axes: dict[int, str],
    opset: int | None,
) -> None:
    """Write one file with graph, weights and contract.

    Args:
        path: File to write.
        program: What :func:`glore_seg.export.tracing.trace` gave.
        contract: What the file carries as its metadata property.
        axes: Those of the input that were traced as free, by name.
        opset: Of the file. Default: torch's own choice.

    Raises:
        ConfigError: torch cannot write the network, or not in this opset.
    """
    try:
        exported = torch.onnx.export(
            with_exact_pooling(program),
            dynamo=True,
            input_names=["image"],
            output_names=[contract.output],
            dynamic_shapes={"image": axes},
            opset_version=opset,
            verbose=False,
        )
    except torch.onnx.errors.OnnxExporterError as error:
        text = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"torch.onnx.export cannot write the network ({text}); expected operators that ONNX "
            "has: another --opset may have them, and --format program needs none"
        ) from error
    model: Any = exported.model  # type: ignore[union-attr]
    found = model.opset_imports[""]
    if opset is not None and found != opset:
        raise ConfigError(
            f"--opset is {opset}, torch could write opset {found} alone for this network: leave "
            f"it out, or give {found}"
        )
    model.metadata_props[PROPERTY] = contract.to_json()
    exported.save(path, external_data=False)  # type: ignore[union-attr]


def open_onnx(path: Path) -> Callable[[Tensor], Tensor]:
    """Open a file in onnxruntime, on the CPU.

    Returns:
        From the input on any device to the output on the CPU.
    """
    onnxruntime = require("onnxruntime", EXTRA)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its errors are raised as well
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(image: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {name: image.cpu().numpy()})[0])

    return run
