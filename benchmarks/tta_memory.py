"""Peak memory of test-time augmentation, compared with one pass at the largest scale.

Each variant runs in its own process on one image of 1024 x 2048: the network's ``test_step`` at
scale 2.0; ``AccumulatingSegTTAModel`` over 0.5 to 2.0 by 0.25, flipped and not; and, with
``--with-mmseg``, mmseg's ``SegTTAModel`` over the same. The peak is the growth of the process
beyond network and image: resident memory on a CPU, allocated memory on a GPU.

    python -m benchmarks.tta_memory --config configs/fcn_r18_glore_street-scenes.py
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

import glore_seg  # noqa: F401  patches upstream and registers
from benchmarks.common import begin, draw_bars, finish, make_parser
from glore_seg.apis import load_config
from glore_seg.engine import build_model

RATIOS = (2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5)
WAYS = {
    "one pass at 2.0": None,
    "accumulated": "AccumulatingSegTTAModel",
    "stacked (mmseg)": "SegTTAModel",
}
SLIDE = {"mode": "slide", "crop_size": (1024, 1024), "stride": (768, 768)}


def run_way(args: argparse.Namespace) -> int:
    """Bytes that one way takes at its peak; runs in a process of its own."""
    from mmengine.dataset import pseudo_collate
    from mmengine.registry import TRANSFORMS

    model = _model(load_config(args.config), WAYS[args.way], args)
    ratios = RATIOS if WAYS[args.way] else RATIOS[:1]
    kind = "LazyTestTimeAug" if args.way == "accumulated" else "TestTimeAug"
    augment = TRANSFORMS.build({"type": kind, "transforms": _transforms(ratios, args.way)})
    height, width = args.size
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    results = {"img": image, "img_shape": (height, width), "ori_shape": (height, width)}
    results["img_path"] = "noise.png"
    on_gpu = args.device == "cuda"
    with torch.no_grad():
        # a small pass first: libraries and threads take memory once
        small = {**results, "img": image[:128, :128], "img_shape": (128, 128)}
        small["ori_shape"] = (128, 128)
        model.test_step(_batch(augment, small, args.way, pseudo_collate))
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated() if on_gpu else _resident()
        model.test_step(_batch(augment, results, args.way, pseudo_collate))
    peak = torch.cuda.max_memory_allocated() if on_gpu else _peak_resident()
    return peak - before


def _model(cfg: Config, wrapper: str | None, args: argparse.Namespace) -> Any:
    from mmseg.registry import MODELS

    cfg.model.pretrained = None
    if args.slide:
        cfg.model.test_cfg = SLIDE
    model = build_model(cfg).to(args.device).eval()
    if wrapper is None:
        return model
    return MODELS.build({"type": wrapper, "module": model})


def _transforms(ratios: Sequence[float], way: str) -> list[list[dict]]:
    flips = (0.0, 1.0) if WAYS[way] else (0.0,)
    return [
        [{"type": "Resize", "scale_factor": ratio, "keep_ratio": True} for ratio in ratios],
        [{"type": "RandomFlip", "prob": prob, "direction": "horizontal"} for prob in flips],
        [{"type": "PackSegInputs"}],
    ]


def _batch(augment: Any, results: dict, way: str, collate: Any) -> dict:
    batch = collate([augment(results)])
    if WAYS[way] is None:
        return {key: value[0] for key, value in batch.items()}
    return batch


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def _peak_resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(argv: Sequence[str] | None = None) -> None:
    """Run the ways one after the other and print the table."""
    parser = make_parser(__doc__.splitlines()[0], example="python -m benchmarks.tta_memory")
    parser.add_argument("--config", default="configs/fcn_r50_glore_cityscapes.py")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(1024, 2048), metavar=("HEIGHT", "WIDTH")
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--slide", action="store_true", help="windows of 1024 x 1024, stride 768")
    parser.add_argument("--with-mmseg", action="store_true", help="measure mmseg's SegTTAModel too")
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.way:
        if args.threads:
            torch.set_num_threads(args.threads)
        print(json.dumps({"peak": run_way(args)}))
        return
    header = begin(args, device=args.device)
    ways = [way for way in WAYS if args.with_mmseg or "mmseg" not in way]
    peaks = {way: _measure(way, sys.argv[1:] if argv is None else argv) for way in ways}
    single = peaks["one pass at 2.0"]
    rows = [
        {
            "way": way,
            "passes": 14 if WAYS[way] else 1,
            "peak, MB": peak / 1e6,
            "ratio": peak / single,
        }
        for way, peak in peaks.items()
    ]
    title = f"{Path(args.config).stem}, {'slide' if args.slide else 'whole'}, {args.device}"
    finish(args, header, {title: rows})
    if args.plot:
        bars = {way: peak / 1e6 for way, peak in peaks.items()}
        draw_bars(args.plot, bars, title=f"Inference, {title}", xlabel="peak memory, MB")


def _measure(way: str, argv: Sequence[str]) -> int:
    command = [sys.executable, "-m", "benchmarks.tta_memory", *argv, "--way", way]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  ours
    if done.returncode:
        raise RuntimeError(f"{way} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])["peak"]


if __name__ == "__main__":
    main()
