"""Time of scoring images of 2048 x 1024 with 60 instances: CityscapesScorer, cityscapesScripts.

The images are synthetic: stuff with wavy borders and 60 ellipses of the classes with instances. The
prediction is the truth, shifted, with circles. Both run alternately in one process on one core; CPU
time is compared. Three variants of ours:

- ``from memory``: predictions are in memory, as in validation; both label maps are decoded.
  cityscapesScripts can only score files, so its time includes decoding the prediction.
- ``from files``: the prediction is decoded as well.
- ``counting``: nothing is decoded.

    python -m benchmarks.scores --images 100
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from PIL import Image

import glore_seg  # noqa: F401  patches upstream
from benchmarks.common import begin, draw_bars, finish, make_parser
from glore_seg.evaluation import CityscapesScorer
from projects.reproduction.measure import side_by_side

SIZE = (1024, 2048)
INSTANCES = 60
STUFF = (23, 11, 21, 8, 7)  # sky, building, vegetation, sidewalk, road: from top to bottom
CLASSES = (24, 24, 24, 25, 26, 26, 26, 26, 27, 28, 31, 32, 33, 33)


def make_image(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Prediction, label ids and instance ids."""
    height, width = SIZE
    truth = np.full(SIZE, STUFF[0], np.uint8)
    rows = np.arange(height)[:, None]
    for place, label in enumerate(STUFF[1:], start=1):
        waves = rng.normal(0, 1, 40).cumsum().repeat(width // 40 + 1)[:width] * 12
        truth[rows > height * place / 6 + waves] = label
    instances = truth.astype(np.uint16)
    for number in range(INSTANCES):
        label = int(rng.choice(CLASSES))
        center = int(rng.integers(0, width)), int(rng.integers(height // 3, height))
        axes = int(rng.lognormal(3.2, 0.7)) + 3, int(rng.lognormal(3.5, 0.7)) + 4
        angle = float(rng.integers(0, 30))
        cv2.ellipse(truth, center, axes, angle, 0, 360, label, -1)
        cv2.ellipse(instances, center, axes, angle, 0, 360, label * 1000 + number, -1)
    prediction = np.roll(truth, (2, 5), (0, 1))
    for _ in range(80):
        center = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.circle(prediction, center, int(rng.integers(3, 40)), int(rng.choice(CLASSES)), -1)
    return prediction, truth, instances


def main(argv: Sequence[str] | None = None) -> None:
    """Make the images, time the ways on them and print the table."""
    parser = make_parser(__doc__.splitlines()[0], example="python -m benchmarks.scores")
    parser.add_argument("--images", type=int, default=100, help="how many (default: 100)")
    parser.set_defaults(rounds=5, threads=1)
    args = parser.parse_args(argv)
    header = begin(args)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        images = _write(Path(folder), args.images)
        timings = side_by_side(_ways(images), rounds=args.rounds, warmup=1)
    theirs = timings["cityscapesScripts"]
    rows = [
        {
            "way": name,
            "CPU ms an image": 1e3 * median(timing.cpu) / args.images,
            "share of cityscapesScripts' time": 1 / timing.times_faster_than(theirs, clock="cpu"),
        }
        for name, timing in timings.items()
    ]
    finish(args, header, {f"{args.images} images, {args.rounds} rounds": rows})
    if args.plot:
        bars = {row["way"]: row["CPU ms an image"] for row in rows}
        draw_bars(args.plot, bars, title="Scoring", xlabel="CPU ms an image")


def _write(folder: Path, count: int) -> list[tuple[Path, np.ndarray]]:
    """Common start of an image's file names, and its prediction in memory."""
    rng = np.random.default_rng(0)
    images = []
    for index in range(count):
        stem = folder / f"{index:03d}"
        parts = make_image(rng)
        for kind, part in zip(("pred", "labelIds", "instanceIds"), parts, strict=True):
            # by Pillow, as cityscapesScripts' own tools write label maps
            Image.fromarray(part).save(f"{stem}_{kind}.png")
        images.append((stem, parts[0]))
    return images


def _read(stem: Path, kind: str) -> np.ndarray:
    return cv2.imread(f"{stem}_{kind}.png", cv2.IMREAD_UNCHANGED)


def _ways(images: list[tuple[Path, np.ndarray]]) -> dict:
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as scripts

    scripts.args.quiet, scripts.args.JSONOutput = True, False
    predicted = [f"{stem}_pred.png" for stem, _ in images]
    truth = [f"{stem}_labelIds.png" for stem, _ in images]
    decoded = (
        images[0][1],
        *(_read(images[0][0], kind) for kind in ("labelIds", "instanceIds")),
    )

    def cityscapesscripts() -> float:
        return scripts.evaluateImgLists(predicted, truth, scripts.args)["averageScoreClasses"]

    def from_memory() -> float:
        scorer = CityscapesScorer()
        for stem, prediction in images:
            scorer.update(prediction, _read(stem, "labelIds"), _read(stem, "instanceIds"))
        return scorer.compute().as_dict()["mIoU"]

    def from_files() -> float:
        scorer = CityscapesScorer()
        for stem, _ in images:
            scorer.update(*(_read(stem, kind) for kind in ("pred", "labelIds", "instanceIds")))
        return scorer.compute().as_dict()["mIoU"]

    def counting() -> None:
        scorer = CityscapesScorer()
        for _ in images:
            scorer.update(*decoded)

    if abs(100 * cityscapesscripts() - from_memory()) > 1e-9:
        raise RuntimeError("the scores differ: nothing to time")
    return {
        "cityscapesScripts": cityscapesscripts,
        "from memory": from_memory,
        "from files": from_files,
        "counting": counting,
    }


if __name__ == "__main__":
    main()
