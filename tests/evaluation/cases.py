"""Images to score, of the kinds that a scorer gets wrong."""

from collections.abc import Iterator

import numpy as np

from projects.synthetic_data.street_scenes.writer import label_images

Case = tuple[np.ndarray, np.ndarray, np.ndarray]
EVALUATED = np.array([7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33], np.uint8)
IGNORED = np.array(sorted({*range(34)} - {*EVALUATED.tolist()}), np.uint8)
WITH_INSTANCES = np.arange(24, 34)


def cases(count: int, seed: int = 0) -> dict[str, list[Case]]:
    """``count`` cases of (prediction, label ids, instance ids), named by their kind."""
    rng = np.random.default_rng(seed)
    kinds = list(_KINDS)
    return {
        f"{i:03d}_{kinds[i % len(kinds)]}": [_KINDS[kinds[i % len(kinds)]](rng)]
        for i in range(count)
    }


def _size(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(3, 24)), int(rng.integers(3, 24))


def blocks(rng: np.random.Generator, ids: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Ids in blocks of 3 x 3, so that instances have some size."""
    small = rng.choice(ids, (-(-size[0] // 3), -(-size[1] // 3)))
    return small.repeat(3, 0).repeat(3, 1)[: size[0], : size[1]].astype(np.uint8)


def number(rng: np.random.Generator, label_ids: np.ndarray, *, count: int = 5) -> np.ndarray:
    """Instance ids: some of the pixels of a class with instances get one of ``count`` numbers."""
    numbers = 1000 * label_ids.astype(np.int64) + rng.integers(0, count, label_ids.shape)
    single = np.isin(label_ids, WITH_INSTANCES) & (rng.random(label_ids.shape) < 0.8)
    return np.where(single, numbers, label_ids).astype(np.uint16)


def _case(rng, truth_ids, predicted_ids, size=None) -> Case:
    truth = blocks(rng, truth_ids, size or _size(rng))
    return rng.choice(predicted_ids, truth.shape).astype(np.uint8), truth, number(rng, truth)


def _noise(rng):
    """All ids in truth and prediction, ignored ones as well; a few wrong pixels of blocks."""
    truth = blocks(rng, np.arange(34), _size(rng))
    wrong = rng.random(truth.shape) < 0.4
    prediction = np.where(wrong, rng.integers(0, 34, truth.shape), truth).astype(np.uint8)
    return prediction, truth, number(rng, truth)


def _absent(rng):
    """Two or three classes only."""
    ids = rng.choice(EVALUATED, 3, replace=False)
    return _case(rng, ids[:2], ids)


def _crowd(rng):
    """Thousands of instances of one to a few pixels."""
    truth = rng.choice(WITH_INSTANCES, (60, 80)).astype(np.uint8)
    wrong = rng.random(truth.shape) < 0.5
    prediction = np.where(wrong, rng.choice(WITH_INSTANCES, truth.shape), truth).astype(np.uint8)
    return prediction, truth, number(rng, truth, count=1000)


def _groups(rng):
    """Classes with instances that are groups throughout."""
    prediction, truth, _ = _case(rng, WITH_INSTANCES, WITH_INSTANCES)
    return prediction, truth, truth.astype(np.uint16)


def _perfect(rng):
    _, truth, instances = _case(rng, EVALUATED, EVALUATED)
    return truth.copy(), truth, instances


def _contradiction(rng):
    """Instance ids of other labels than the label ids', and the border of groups: 1000, 1001."""
    prediction, truth, _ = _case(rng, EVALUATED, EVALUATED)
    instances = number(rng, blocks(rng, np.arange(24, 34), truth.shape))
    instances.flat[:2] = 1000, 1001
    return prediction, truth, instances


def _plates(rng):
    """A car and a group of cars with license plates, drawn by cityscapesScripts."""
    height, width = 24, 40
    x = int(rng.integers(2, 10))
    shapes = [
        ("road", (0, 0, 40, 24)),
        ("car", (x, 4, x + 12, 16)),
        ("license plate", (x + 3, 10, x + 9, 13)),
        ("cargroup", (24, 2, 38, 18)),
        ("license plate", (30, 20, 35, 23)),
    ]
    objects = [
        {"label": label, "polygon": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]}
        for label, (x0, y0, x1, y1) in shapes
    ]
    images = label_images({"imgHeight": height, "imgWidth": width, "objects": objects})
    truth, instances = (np.asarray(images[kind]) for kind in ("labelIds", "instanceIds"))
    prediction = rng.choice(np.array([7, 26, 27], np.uint8), truth.shape)
    return prediction, truth, instances


_KINDS = {
    "noise": _noise,
    "absent": _absent,
    # nothing that counts; instances of caravans and trailers among it
    "ignored": lambda rng: _case(rng, IGNORED, EVALUATED),
    "pixel": lambda rng: _case(rng, EVALUATED, EVALUATED[:3], (1, 1)),
    "crowd": _crowd,
    "groups": _groups,
    "perfect": _perfect,
    # ignored ids predicted on what counts, a caravan on a car among them
    "ignored_predicted": lambda rng: _case(rng, EVALUATED, IGNORED),
    "contradiction": _contradiction,
    "plates": _plates,
}


def scene_images(root) -> Iterator[Case]:
    """Street scenes with their labels moved and some classes exchanged as prediction."""
    from PIL import Image

    for path in sorted((root / "gtFine").rglob("*_labelIds.png")):
        truth = np.asarray(Image.open(path))
        instances = np.asarray(Image.open(str(path).replace("labelIds", "instanceIds")))
        prediction = np.roll(truth, (1, 3), (0, 1))
        prediction[prediction == 26] = 27
        yield prediction, truth, instances.astype(np.uint16)
