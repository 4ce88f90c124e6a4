"""Trace networks, write them as ONNX files or ``torch.export`` programs, and open such files."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from glore_seg.compat.symbolic_sizes import sizes_stay_symbolic
from glore_seg.errors import ConfigError
from glore_seg.export.contract import PROPERTY, Contract
from glore_seg.utils.dependencies import require

EXTRA = "export"
_LEAST_OPSET = 18  # of torch's exporter
_BATCH = 2  # torch specializes an axis of length 1


def dynamic_axes(sides: int, *, fixed: bool) -> dict[int, str]:
    """Dynamic axes of the input and their names in ONNX files.

    An image has 2 sides, a clip 3, whose number of frames is fixed; ``fixed`` fixes all of them.
    """
    return {0: "batch"} if fixed else {0: "batch", sides: "height", sides + 1: "width"}


def trace(
    graph: nn.Module, size: tuple[int, ...], *, fixed: bool, device: torch.device, channels: int = 3
) -> ExportedProgram:
    """Trace a graph at (H, W) or (T, H, W) of images of so many channels; nothing is computed.

    The batch size is dynamic, and with ``fixed`` nothing else. A ConfigError says that the network
    depends on values, or on dynamic sizes.
    """
    image = torch.zeros(_BATCH, channels, *size, device=device)
    axes = dict.fromkeys(dynamic_axes(len(size), fixed=fixed), torch.export.Dim.DYNAMIC)
    try:
        with torch.no_grad(), sizes_stay_symbolic():
            return torch.export.export(graph, (image,), dynamic_shapes=(axes,))
    except Exception as error:  # torch.export and the network raise various exceptions
        fix = "" if fixed else "; a fixed --size HEIGHT WIDTH may help"
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(f"torch.export cannot trace the network{fix}: {reason}") from error


def with_exact_pooling(program: ExportedProgram) -> ExportedProgram:
    """Decompose adaptive average pooling, whose bins ONNX would keep from the traced size.

    PSPHead, UPerHead and others use it. The result equals torch's at every size.
    """
    table = torch.export.default_decompositions()
    table[torch.ops.aten.adaptive_avg_pool2d.default] = adaptive_avg_pool2d
    return program.run_decompositions(table)


def adaptive_avg_pool2d(x: Tensor, output_size: Sequence[int]) -> Tensor:
    """Pool (N, C, H, W) to (N, C, *output_size) by two matrix products."""
    rows, columns = output_size
    if rows == columns == 1:
        return x.mean((-2, -1), keepdim=True)
    return _bins(x.shape[-2], rows, x) @ x @ _bins(x.shape[-1], columns, x).mT


def _bins(length: int, number: int, like: Tensor) -> Tensor:
    """Weights of positions in overlapping bins, (number, length); each row sums to 1."""
    index = torch.arange(number, device=like.device)
    start = index * length // number
    stop = ((index + 1) * length + number - 1) // number
    position = torch.arange(length, device=like.device)
    inside = (position >= start[:, None]) & (position < stop[:, None])  # (number, length)
    return inside.to(like.dtype) / (stop - start).to(like.dtype)[:, None]


def check_opset(opset: int | None) -> None:
    """Check packages and opset before anything slow; None is torch's default.

    Raises:
        MissingDependencyError: A package for ONNX files is not installed.
        ConfigError: The installed onnx or torch does not have the opset.
    """
    onnx, *_ = (require(module, EXTRA) for module in ("onnx", "onnxscript", "onnxruntime"))
    known = range(_LEAST_OPSET, onnx.defs.onnx_opset_version() + 1)
    if opset is not None and opset not in known:
        raise ConfigError(
            f"--opset is {opset}; expected {known[0]} to {known[-1]}, the opsets of the installed "
            f"onnx {onnx.__version__}, or none for torch's default"
        )


def write_onnx(
    path: Path,
    program: ExportedProgram,
    contract: Contract,
    *,
    axes: dict[int, str],
    opset: int | None,
) -> None:
    """Write one file with graph, weights and, as metadata property, the contract.

    ``axes`` names the input's dynamic axes; the default ``opset`` is torch's. A ConfigError says
    that torch cannot write the network in this opset.
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
