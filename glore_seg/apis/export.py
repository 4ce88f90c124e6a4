"""Export a trained network to one file for another runtime, and check the file."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from mmengine.config import Config

from glore_seg.apis.model import load_model, read_checkpoint
from glore_seg.apis.splits import plain_dataset, read_metainfo
from glore_seg.apis.tasks import task_of
from glore_seg.compat.torch_api import EXPORT, require_torch
from glore_seg.engine.channels import input_channels
from glore_seg.engine.checkpoint_checks import unwrap
from glore_seg.errors import ConfigError
from glore_seg.export.checking import SIZES, ExportCheck, check, require_agreement
from glore_seg.export.contract import Contract, describe_classes, describe_input
from glore_seg.export.formats import (
    check_opset,
    dynamic_axes,
    open_onnx,
    open_program,
    trace,
    write_onnx,
    write_program,
)
from glore_seg.export.graphs import GRAPHS, use_order
from glore_seg.layers.arguments import check_choice
from glore_seg.layers.evaluation_order import Order
from glore_seg.utils.devices import usable_device
from glore_seg.utils.files import atomic_write, check_free, remove_unfinished

FORMATS = {"onnx": ".onnx", "program": ".pt2"}
"""Name of each format to the ending of its files."""

_TRACED = (192, 256)  # where dynamic sizes are traced


@dataclass(frozen=True)
class Exported:
    """Inputs and outputs of an exported file, and its comparisons with torch."""

    contract: Contract
    checks: list[ExportCheck]


def export_model(
    cfg: Config,
    checkpoint: str | Path,
    out: str | Path,
    *,
    file_format: str = "onnx",
    resized: bool = True,
    argmax: bool = False,
    order: Order = "auto",
    size: tuple[int, int] | None = None,
    check_sizes: Sequence[tuple[int, int]] = (),
    opset: int | None = None,
    device: str = "cpu",
    overwrite: bool = False,
) -> Exported:
    """Export a network and check the file in its runtime; a file that fails is not kept.

    Sliding windows and test-time augmentation of the config are not exported. Clips have the frames
    of its test pipeline.

    Args:
        cfg: Config of a network of mmseg, mmpretrain or mmaction2.
        checkpoint: Its weights.
        out: Output file.
        file_format: ``"onnx"``, or ``"program"`` for ``torch.export``'s.
        resized: Whether the logits of a segmentation are resized to the image inside.
        argmax: Whether the output is labels instead of logits.
        order: Of the units' products, see :class:`glore_seg.layers.GloReUnit`.
        size: Fixed (H, W). Default: dynamic, traced at 192 x 256 and checked at 161 x 225,
            128 x 96 and 97 x 353, rounded up to multiples of the size divisor.
        check_sizes: Further (H, W) to check.
        opset: Of an ONNX file. Default: torch's.
        device: Where the network is traced and checked; a program is bound to it.
        overwrite: Whether to replace the file.

    Raises:
        OutputError: ``out`` is a folder, or exists and ``overwrite`` is off.
        MissingDependencyError: ONNX's packages are not installed, or torch is older than 2.6.
        ExportMismatchError: The output of the file differs from torch's.
        CheckpointError: The checkpoint is missing, corrupted, or of another network.
        ConfigError: An option is out of range, or the network cannot be exported.
    """
    require_torch("export", EXPORT)
    out = Path(out)
    check_choice("order", order, get_args(Order))
    check_choice("--format", file_format, tuple(FORMATS))
    if out.suffix != FORMATS[file_format]:
        raise ConfigError(f"--out is {out}; expected a name that ends in {FORMATS[file_format]}")
    check_free(out, overwrite=overwrite)
    if file_format == "onnx":
        check_opset(opset)
    elif opset is not None:
        raise ConfigError(f"--opset is {opset}, which only --format onnx has")
    where = usable_device(device)
    task = task_of(cfg).name
    cfg = copy.deepcopy(cfg)
    if cfg.model.get("data_preprocessor") is None and cfg.get("data_preprocessor"):
        cfg.model.data_preprocessor = cfg.data_preprocessor  # as the Runner does
    weights = read_checkpoint(checkpoint)
    model: Any = unwrap(load_model(cfg, weights, device=where))
    use_order(model, order)
    graph = GRAPHS[task](model, resized=resized, argmax=argmax).eval()
    pipeline = plain_dataset(cfg, "test").get("pipeline") or ()
    channels = input_channels(cfg)
    contract = Contract(
        task=task,
        output="labels" if argmax else "logits",
        resized=graph.resized,
        align_corners=graph.align_corners,
        **describe_input(model.data_preprocessor, pipeline, channels=channels),
        **describe_classes(_metainfo(cfg, weights.meta), num_classes=graph.num_classes),
    )
    frames = _frames(pipeline) if task == "video" else ()
    sizes = _sizes(contract.size_divisor, size, check_sizes)
    traced = (*frames, *(size or _round_up(_TRACED, contract.size_divisor)))
    program = trace(graph, traced, fixed=size is not None, device=where, channels=channels)
    remove_unfinished(out.parent)
    with atomic_write(out) as temporary:
        if file_format == "onnx":
            axes = dynamic_axes(len(traced), fixed=size is not None)
            write_onnx(temporary, program, contract, axes=axes, opset=opset)
            run = open_onnx(temporary)
        else:
            write_program(temporary, program, contract)
            run = open_program(temporary)
        checks = [
            check(run, graph, (batch, *frames, h, w), where, channels=channels)
            for batch, h, w in sizes
        ]
        require_agreement(checks, name=str(out))
    return Exported(contract, checks)


def _metainfo(cfg: Config, meta: Mapping[str, Any]) -> dict[str, Any]:
    found = read_metainfo(cfg)
    trained = meta.get("dataset_meta")
    # Class names that come from a classifier's folders are recorded in training.
    return found if found.get("classes") or not isinstance(trained, dict) else trained


def _frames(pipeline: Sequence[dict[str, Any]]) -> tuple[int]:
    """Length of a clip, from the transform that samples it."""
    lengths = [step["clip_len"] for step in pipeline if step.get("clip_len")]
    if not lengths:
        raise ConfigError(
            "the test pipeline has no transform with clip_len, the number of frames of a clip; "
            "expected one, such as SampleFrames"
        )
    return (int(lengths[-1]),)


def _sizes(
    divisor: int, fixed: tuple[int, int] | None, further: Sequence[tuple[int, int]]
) -> list[tuple[int, int, int]]:
    """Return (N, H, W) of all checks."""
    for height, width in (*further, *([fixed] if fixed else [])):
        if min(height, width) < 1 or height % divisor or width % divisor:
            raise ConfigError(f"size is {height} x {width}; expected multiples of {divisor}")
    if fixed and further:
        raise ConfigError(f"--check {further} and --size {fixed} exclude each other: give one")
    if fixed:
        return [(batch, *fixed) for batch in (1, 3)]
    standard = [(batch, *_round_up((h, w), divisor)) for batch, h, w in SIZES]
    return [*standard, *((1, *each) for each in further)]


def _round_up(size: tuple[int, int], divisor: int) -> tuple[int, int]:
    height, width = (-(-side // divisor) * divisor for side in size)
    return height, width
