import numpy as np
import pytest
from PIL import Image

from glore_seg.visualization import draw_clip_projections


def draw(folder, frames, weights, nodes, **options):
    file = folder / "clip.png"
    draw_clip_projections(frames, weights, file, nodes=nodes, **options)
    return np.array(Image.open(file).convert("RGB")).astype(int)


def test_frames_are_columns_and_nodes_rows(tmp_path):
    frames = [np.full((40, 80, 3), 255, np.uint8)] * 4
    weights = np.full((3, 2, 4, 8), 1.0)
    weights[0, 1] = -1.0  # green over the second half of the clip
    weights[2, 0] = 0.0
    image = draw(tmp_path, frames, weights, [0, 2])
    white, red, green, dim = [255] * 3, [255, 40, 30], [0, 225, 60], [89] * 3
    # one row below the other, each at the height where its colors stand
    found = []
    for row in image:
        xs = np.flatnonzero((row != 255).any(axis=1))
        if len(xs) > 0.7 * image.shape[1]:
            middle = [int(xs[0] + (xs[-1] - xs[0]) * (i + 0.5) / 4) for i in range(4)]
            found.append(tuple(map(tuple, row[middle])))
    kinds = list(dict.fromkeys(found))
    assert tuple(map(tuple, [red, red, green, green])) in kinds
    assert tuple(map(tuple, [dim, dim, red, red])) in kinds
    assert image[0].tolist() == [white] * image.shape[1]


def test_size_follows_frames_and_nodes(tmp_path):
    frames = [np.zeros((48, 48, 3), np.uint8)] * 8
    weights = np.random.default_rng(0).normal(size=(6, 4, 3, 3))
    small = draw(tmp_path, frames[:4], weights, [0])
    large = draw(tmp_path, frames, weights, [0, 5, 1], colors="orange-blue", title="unit")
    assert large.shape[1] - small.shape[1] == pytest.approx(4 * 1.3 * 120, abs=1)
    assert large.shape[0] - small.shape[0] == pytest.approx(2 * 1.3 * 120, abs=1)


@pytest.mark.parametrize(
    ("number", "shape", "nodes", "message"),
    [
        (2, (2, 4, 4), [0], r"shape \(2, 4, 4\); expected a clip's, \(N, t, h, w\)"),
        (0, (2, 1, 4, 4), [0], "0 images, 0 maps and 1 nodes"),
        (2, (2, 1, 4, 4), [2], r"nodes \[2\] are none of the unit's"),
    ],
)
def test_refused(tmp_path, number, shape, nodes, message):
    with pytest.raises(ValueError, match=message):
        draw(tmp_path, [np.zeros((8, 8, 3), np.uint8)] * number, np.ones(shape), nodes)
    assert list(tmp_path.iterdir()) == []
