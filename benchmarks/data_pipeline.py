"""Images/s per core of the training pipeline, from files and packed, compared with mmseg's.

Generates full-size street scenes in a temporary folder (two seconds per image), packs them, and
times the three pipelines alternately on the same images with the same random numbers.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import numpy as np
from mmengine.dataset import BaseDataset

import glore_seg  # noqa: F401  patches OpenMMLab, so it comes first
from benchmarks.common import begin, finish, make_parser
from glore_seg.datasets import pack_dataset
from projects.reproduction.measure import side_by_side
from projects.synthetic_data.street_scenes import make_street_scenes

RATIOS = (0.5, 2.0)
CAT_MAX_RATIO = 0.75


def main(argv: Sequence[str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Measure, print and return the tables."""
    parser = make_parser(
        "Images/s per core of the training pipeline, compared with mmsegmentation's.",
        example="python -m benchmarks.data_pipeline --json pipeline.json --plot pipeline.png",
    )
    parser.set_defaults(threads=1)
    parser.add_argument(
        "--size", type=int, nargs=2, default=(1024, 2048), metavar=("H", "W"), help="of images"
    )
    parser.add_argument(
        "--crop", type=int, nargs=2, default=(768, 768), metavar=("H", "W"), help="of crops"
    )
    parser.add_argument("--images", type=int, default=6, help="number of images (default: 6)")
    args = parser.parse_args(argv)
    header = begin(args)
    header["opencv"] = cv2.__version__
    cv2.setNumThreads(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        datasets = make_datasets(
            Path(folder), tuple(args.size), tuple(args.crop), number=args.images
        )
        timings = side_by_side(
            {name: passes(dataset) for name, dataset in datasets.items()}, rounds=args.rounds
        )
        stages = {name: stage_times(dataset, 10) for name, dataset in datasets.items()}
    rows, slowest = [], timings["mmseg, PNG"]
    for name, timing in timings.items():
        cpu = 1e3 * float(np.median(timing.cpu)) / args.images
        rows.append(
            {
                "pipeline": name,
                "images/s per core": 1e3 / cpu,
                "CPU ms per image": cpu,
                "ms per image": timing.milliseconds / args.images,
                "speedup": timing.times_faster_than(slowest, clock="cpu"),
            }
        )
    sizes = "{} x {} images, {} x {} crops".format(*args.size, *args.crop)
    tables = {
        f"Data pipeline: {sizes}": rows,
        "CPU time by transform": [
            {"pipeline": name, "transform": stage, "CPU ms per image": milliseconds}
            for name, found in stages.items()
            for stage, milliseconds in found.items()
        ],
    }
    finish(args, header, tables)
    if args.plot:
        draw(args.plot, stages)
    return tables


def make_datasets(
    folder: Path, size: tuple[int, int], crop: tuple[int, int], *, number: int
) -> dict[str, BaseDataset]:
    """Generate and pack the images; build a dataset for each pipeline."""
    from mmengine.registry import init_default_scope
    from mmseg.registry import DATASETS

    init_default_scope("mmseg")
    make_street_scenes(folder / "data", num_train=number, num_val=0, num_test=0, size=size)
    pack_dataset(folder / "data", folder / "pack")
    resize = {"scale": size[::-1], "ratio_range": RATIOS, "keep_ratio": True}
    crops = {"crop_size": crop, "cat_max_ratio": CAT_MAX_RATIO}
    mmseg = [
        {"type": "LoadImageFromFile"},
        {"type": "LoadAnnotations"},
        {"type": "RandomResize", **resize},
        {"type": "RandomCrop", **crops},
        {"type": "RandomFlip", "prob": 0.5},
        {"type": "PhotoMetricDistortion"},
        {"type": "PackSegInputs"},
    ]
    ours = [
        {"type": "LoadRandomResizeCropFlip", **resize, **crops},
        {"type": "FastPhotoMetricDistortion"},
        {"type": "FastPackSegInputs"},
    ]
    prefix = {"img_path": "leftImg8bit/train", "seg_map_path": "gtFine/train"}
    common = {"data_root": str(folder / "data"), "data_prefix": prefix}
    return {
        "mmseg, PNG": DATASETS.build({"type": "CityscapesDataset", **common, "pipeline": mmseg}),
        "glore_seg, PNG": DATASETS.build(
            {"type": "CheckedCityscapesDataset", **common, "pipeline": ours}
        ),
        "glore_seg, packed": DATASETS.build(
            {
                "type": "CheckedCityscapesDataset",
                **common,
                "pipeline": ours,
                "pack": str(folder / "pack"),
            }
        ),
    }


def passes(dataset: BaseDataset) -> Callable[[], None]:
    """Return a function that loads all images once, each time with the next seed."""
    seed = 0

    def run() -> None:
        nonlocal seed
        np.random.seed(seed)
        seed += 1
        for index in range(len(dataset)):
            dataset[index]

    return run


def stage_times(dataset: BaseDataset, rounds: int) -> dict[str, float]:
    """Return the mean CPU time of each transform in ms per image."""
    seconds: dict[str, list[float]] = {}
    np.random.seed(0)
    for index in list(range(len(dataset))) * rounds:
        results = dataset.get_data_info(index)
        for transform in dataset.pipeline.transforms:
            start = time.process_time()
            results = transform(results)
            name = type(transform).__name__
            seconds.setdefault(name, []).append(time.process_time() - start)
    return {name: 1e3 * mean(values) for name, values in seconds.items()}


def draw(path: Path, stages: dict[str, dict[str, float]]) -> None:
    """Draw a bar for each pipeline, divided by transform."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots()
    transforms = list(dict.fromkeys(stage for found in stages.values() for stage in found))
    colors = {stage: f"C{index}" for index, stage in enumerate(transforms)}
    for name, found in stages.items():
        left = 0.0
        for stage, milliseconds in found.items():
            known = stage in axes.get_legend_handles_labels()[1]
            axes.barh(
                name,
                milliseconds,
                left=left,
                color=colors[stage],
                edgecolor="white",
                label=None if known else stage,
            )
            left += milliseconds
        axes.text(left + 0.4, name, f"{left:.1f} ms", va="center", fontsize="small")
    axes.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("CPU ms per image, one core")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
