"""A trained network as one file for another runtime, checked before it bears its name."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope

from glore_seg.apis.model import load_model, read_checkpoint
from glore_seg.apis.splits import plain_dataset
from glore_seg.compat.torch_api import EXPORT, require_torch
from glore_seg.engine.hooks.setup_check_hook import unwrap
from glore_seg.errors import ConfigError, OutputError
from glore_seg.export.checking import SIZES, Comparison, compare, require_agreement
from glore_seg.export.contract import Contract, describe_classes, describe_input
from glore_seg.export.graphs import graph_of, use_order
from glore_seg.export.onnx_format import check_opset, open_onnx, write_onnx
from glore_seg.export.program_format import open_program, write_program
from glore_seg.export.tracing import free_axes, trace
from glore_seg.layers.evaluation_order import Order, check_order
from glore_seg.utils.devices import usable_device
from glore_seg.utils.files import atomic_write, remove_unfinished

FORMATS = {"onnx": ".onnx", "program": ".pt2"}
"""Name of each format to the ending of its files."""

# Where free sizes are traced: nothing is computed at it.
_TRACED = (192, 256)


@dataclass(frozen=True)
class Exported:
    """What :func:`export_model` did.

    Args:
        contract: What the file expects and gives.
        comparisons: Its checks against torch.
    """

    contract: Contract
    comparisons: list[Comparison]


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
    """Export a network and check the file in its runtime; one that fails is not left behind.

    A network that the config tests in sliding windows or several scales is exported for one
    image, whole.

    Args:
        cfg: Config of mmseg's, mmpretrain's or mmaction2's network. Clips have the frames of the
            config's test pipeline.
        checkpoint: Its weights.
        out: File to write.
        file_format: ``"onnx"``, or ``"program"`` for ``torch.export``'s.
        resized: Whether the logits of a segmentation are resized to the image inside.
        argmax: Whether labels are given in place of logits.
        order: Of the units' products, see :class:`glore_seg.layers.GloReUnit`.
        size: (H, W) in pixels, to fix it. Default: any, traced at 192 x 256.
        check_sizes: Further (H, W) to check at. Without ``size``, 161 x 225, 128 x 96 and 97 x 353
            are checked always, each rounded up to what the network takes.
        opset: Of an ONNX file. Default: torch's own choice.
        device: Where the network is traced and checked; a program stays on it.
        overwrite: Whether a file of that name may be replaced.

    Raises:
        OutputError: ``out`` is there and ``overwrite`` is off.
        ConfigError: The checkpoint is not there.
        MissingDependencyError: ONNX's packages are not installed, or torch is older than 2.6.
        ExportMismatchError: The file gives something else than torch.
        ConfigError: An option is out of range, the checkpoint is of another network, or the network
            cannot be exported.
    """
    require_torch("export", EXPORT)
    out = Path(out)
    check_order(order)
    _check_file(out, file_format, overwrite=overwrite)
    if file_format == "onnx":
        check_opset(opset)
    elif opset is not None:
        raise ConfigError(f"--opset is {opset}, and programs have none; expected --format onnx")
    where = usable_device(device)
    wrap = graph_of(cfg.get("default_scope") or "mmseg")
    cfg = copy.deepcopy(cfg)
    if cfg.model.get("data_preprocessor") is None and cfg.get("data_preprocessor"):
        cfg.model.data_preprocessor = cfg.data_preprocessor  # as the Runner does
    weights = read_checkpoint(checkpoint)
    model: Any = unwrap(load_model(cfg, weights, device=where))
    use_order(model, order)
    graph = wrap(model, resized=resized, argmax=argmax).eval()
    pipeline = plain_dataset(cfg, "test").get("pipeline") or ()
    frames = _frames(pipeline) if graph.task == "video" else ()
    contract = Contract(
        task=graph.task,
        output="labels" if argmax else "logits",
        resized=graph.resized,
        align_corners=graph.align_corners,
        **describe_input(model.data_preprocessor, pipeline),
        **describe_classes(_metainfo(cfg, weights.meta), num_classes=graph.num_classes),
    )
    sizes = [
        (number, *frames, *each)
        for number, *each in _sizes(contract.size_divisor, size, check_sizes)
    ]
    traced = (*frames, *(size or _multiple(_TRACED, contract.size_divisor)))
    axes = free_axes(len(traced), fixed=size is not None)
    program = trace(graph, traced, fixed=size is not None, device=where)
    remove_unfinished(Path(out).parent)
    with atomic_write(out) as aside:
        if file_format == "onnx":
            write_onnx(aside, program, contract, axes=axes, opset=opset)
            run = open_onnx(aside)
        else:
            write_program(aside, program, contract)
            run = open_program(aside)
        comparisons = compare(run, graph, sizes, device=where)
        require_agreement(comparisons, what=str(out))
    return Exported(contract, comparisons)


def _check_file(out: Path, file_format: str, *, overwrite: bool) -> None:
    if file_format not in FORMATS:
        raise ConfigError(f"--format is {file_format!r}; expected one of {', '.join(FORMATS)}")
    if out.suffix != FORMATS[file_format]:
        raise ConfigError(
            f"--out is {out}; expected a name that ends in {FORMATS[file_format]}, as files of "
            f"--format {file_format} do"
        )
    if out.is_dir():
        raise ConfigError(f"--out is {out}, a folder; expected a file: give another name")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} exists; give another name, or say --overwrite")


def _metainfo(cfg: Config, meta: Mapping[str, Any]) -> dict[str, Any]:
    init_default_scope(cfg.get("default_scope") or "mmseg")
    # Not opened: the data need not be there to export.
    found = DATASETS.build({**plain_dataset(cfg, "test"), "lazy_init": True}).metainfo
    trained = meta.get("dataset_meta")
    # A classifier's folders name its classes only where they are; training wrote them down.
    return found if found.get("classes") or not isinstance(trained, dict) else trained


def _frames(pipeline: Sequence[dict[str, Any]]) -> tuple[int]:
    """Length of a clip, from the transform that samples it."""
    lengths = [step["clip_len"] for step in pipeline if step.get("clip_len")]
    if not lengths:
        raise ConfigError(
            "the test pipeline has no transform with clip_len; expected one that tells how many "
            "frames a clip has, such as SampleFrames"
        )
    return (int(lengths[-1]),)


def _sizes(
    divisor: int, fixed: tuple[int, int] | None, further: Sequence[tuple[int, int]]
) -> list[tuple[int, int, int]]:
    """Return (N, H, W) of all checks."""
    for height, width in (*further, *([fixed] if fixed else [])):
        if min(height, width) < 1 or height % divisor or width % divisor:
            raise ConfigError(
                f"size is {height} x {width}; expected multiples of {divisor} above 0, which the "
                "network takes"
            )
    if fixed:
        if any(tuple(each) != tuple(fixed) for each in further):
            raise ConfigError(
                f"--check is {further} with --size {fixed}, and the file takes that size alone; "
                "leave one of the two out"
            )
        return [(number, *fixed) for number in (1, 3)]
    return [
        *((number, *_multiple((h, w), divisor)) for number, h, w in SIZES),
        *((1, *each) for each in further),
    ]


def _multiple(size: tuple[int, int], divisor: int) -> tuple[int, int]:
    height, width = (-(-side // divisor) * divisor for side in size)
    return height, width
