"""Training steps and inference of a network with our options and with mmseg's defaults.

mmseg's defaults are fp32, channels first, eager. On CPUs the network is small; with `--device cuda`
it is ResNet-50 at the sizes of Cityscapes, also with torch.compile.
"""

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

import glore_seg  # noqa: F401  patches OpenMMLab, therefore first
from benchmarks.common import begin, finish, make_parser
from glore_seg.apis import load_config
from glore_seg.apis.config import replace_sync_bn
from glore_seg.engine import build_model, use_compile
from projects.reproduction.measure import Timing, make_batch, make_step, side_by_side

CONFIGS = Path(__file__).parents[1] / "configs"
DEFAULTS: dict[str, dict[str, Any]] = {
    "cpu": {
        "config": "fcn_r18_glore_street-scenes.py",
        "train_size": (128, 256),
        "test_size": (256, 512),
        "batch_size": 2,
    },
    "cuda": {
        "config": "fcn_r50_glore_cityscapes.py",
        "train_size": (768, 768),
        "test_size": (1024, 2048),
        "batch_size": 4,
    },
}
STOCK = "fp32, channels first"


def main(argv: Sequence[str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Measure, print and return the tables."""
    parser = make_parser(
        "Training steps and inference of a network with our options and mmsegmentation's defaults.",
        example="python -m benchmarks.model --device cuda --json model.json",
    )
    parser.add_argument("--device", choices=list(DEFAULTS), default="cpu")
    parser.add_argument("--config", type=Path, help="default: a small one on a CPU, else ResNet-50")
    for name, what in (("train", "crops"), ("test", "images")):
        parser.add_argument(
            f"--{name}-size", type=int, nargs=2, metavar=("H", "W"), help=f"of {what}"
        )
    parser.add_argument("--batch-size", type=int, help="crops per training step")
    parser.add_argument(
        "--compile", action="store_true", help="torch.compile on a CPU, too: takes minutes"
    )
    args = parser.parse_args(argv)
    header = begin(args, device=args.device)
    tables = measure(
        args.device,
        config=args.config,
        train_size=args.train_size,
        test_size=args.test_size,
        batch_size=args.batch_size,
        compiled=args.compile or args.device == "cuda",
        rounds=args.rounds,
    )
    finish(args, header, tables)
    if args.plot:
        draw(args.plot, tables)
    return tables


def measure(
    device: str,
    *,
    compiled: bool,
    rounds: int,
    config: Path | None = None,
    train_size: Sequence[int] | None = None,
    test_size: Sequence[int] | None = None,
    batch_size: int | None = None,
    max_seconds: float = 240,
) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of training and inference by their titles.

    Args:
        device: ``"cpu"`` or ``"cuda"``, which sets the defaults of the others.
        compiled: Whether to include torch.compile.
        rounds: Number of timings of each variant.
        config: Config of the network.
        train_size: Height and width of crops.
        test_size: Height and width of images.
        batch_size: Crops per training step.
        max_seconds: Time limit of a table, without compiling and the third round.
    """
    defaults = DEFAULTS[device]
    train_size = tuple(train_size or defaults["train_size"])
    test_size = tuple(test_size or defaults["test_size"])
    cfg = load_config(str(config or CONFIGS / defaults["config"]))
    cfg.model.data_preprocessor.size = train_size
    cfg.model.data_preprocessor.test_cfg = {"size_divisor": 1}
    replace_sync_bn(cfg.model)
    model = build_model(cfg).to(device)
    tables = {}
    for title, size, count, make in (
        ("Training step", train_size, batch_size or defaults["batch_size"], training),
        ("Inference", test_size, 1, inference),
    ):
        torch.compiler.reset()  # otherwise a second size is compiled for all sizes
        data = make_batch(count, *size, num_classes=19, device=device)
        ways = {name: make(model, data, cfg, way) for name, way in settings(compiled).items()}
        timings = side_by_side(ways, rounds=rounds, max_seconds=max_seconds)
        what = f"{title}, {Path(cfg.filename).stem}, {count} x {size[0]} x {size[1]}"
        tables[what] = rows(timings, count)
    return tables


@dataclass(frozen=True)
class Settings:
    """Settings of a variant; the defaults are mmsegmentation's."""

    channels_last: bool = False
    bf16: bool = False
    compiled: bool = False


def settings(compiled: bool) -> dict[str, Settings]:
    """Return the settings of each variant by its name, mmsegmentation's first."""
    found = {
        STOCK: Settings(),
        "fp32, channels last": Settings(channels_last=True),
        "bf16, channels first": Settings(bf16=True),
        "bf16, channels last": Settings(channels_last=True, bf16=True),
    }
    if compiled:
        found["bf16, channels last, compiled"] = Settings(True, True, True)
    return found


def _prepared(model: nn.Module, way: Settings) -> nn.Module:
    model = copy.deepcopy(model)
    if way.channels_last:
        model.to(memory_format=torch.channels_last)
    if way.compiled:
        use_compile(SimpleNamespace(model=model))
    return model


def training(
    model: nn.Module, data: dict[str, list], cfg: Any, way: Settings
) -> Callable[[], object]:
    """Return a function for one step: preprocessing, loss, gradients, optimizer."""
    wrapper = copy.deepcopy(cfg.optim_wrapper)
    wrapper.type = "BFloat16OptimWrapper" if way.bf16 else "OptimWrapper"
    return make_step(_prepared(model, way), data, wrapper)


def inference(
    model: nn.Module, data: dict[str, list], cfg: Any, way: Settings
) -> Callable[[], object]:
    """Return a function that predicts label maps of a batch; BatchNorm is folded unless stock."""
    from mmcv.cnn import fuse_conv_bn

    model = _prepared(model, way).eval()
    if way != Settings():
        fuse_conv_bn(model)
    device = next(model.parameters()).device.type

    def run() -> object:
        with torch.no_grad(), torch.autocast(device, torch.bfloat16) if way.bf16 else nullcontext():
            return model.test_step(copy.copy(data))

    return run


def rows(timings: dict[str, Timing], count: int) -> list[dict[str, Any]]:
    """Return the rows of a table."""
    return [
        {
            "settings": name,
            "images/s": 1e3 * count / timing.milliseconds,
            "ms": timing.milliseconds,
            "times stock": timing.times_faster_than(timings[STOCK]),
            "times stock, CPU time": timing.times_faster_than(timings[STOCK], clock="cpu"),
        }
        for name, timing in timings.items()
    ]


def draw(path: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Draw one panel per table, one bar per variant."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.6 + 1.6 * len(tables)), layout="constrained")
    for axes, (title, found) in zip(
        figure.subplots(len(tables), squeeze=False)[:, 0], tables.items(), strict=True
    ):
        bars = axes.barh([row["settings"] for row in found], [row["times stock"] for row in found])
        axes.bar_label(bars, fmt="%.2f")
        axes.invert_yaxis()
        axes.set(title=title, xlabel="times the speed of stock settings")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
