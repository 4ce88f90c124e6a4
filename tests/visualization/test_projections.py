import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.visualization import (
    capture_projections,
    draw_projections,
    find_unit,
    paint_weights,
    pick_nodes,
)
from glore_seg.visualization.projections import over_frames

GRAY = np.full((8, 16, 3), 100, np.uint8)
RED, GREEN, DIM = (255, 40, 30), (0, 225, 60), (89,) * 3  # DIM: 0.35 of white


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage = nn.Sequential(GloReUnit(8), nn.ReLU(), GloReUnit(8, num_nodes=3))
        self.auxiliary_head = GloReUnit(8)

    def forward(self, x):
        return self.stage(x)


def test_the_default_unit_is_the_last_one_used_for_predictions():
    model = Network()
    assert find_unit(model) == ("stage.2", model.stage[2])
    assert find_unit(model, "stage.0")[1] is model.stage[0]
    assert find_unit(model, "auxiliary_head")[1] is model.auxiliary_head
    with pytest.raises(ConfigError, match=r"'stage\.1'; expected .* stage\.0, stage\.2"):
        find_unit(model, "stage.1")
    with pytest.raises(ConfigError, match="ReLU has no GloRe unit"):
        find_unit(nn.ReLU())


def test_captured_weights_equal_the_projection_of_the_units_input():
    model = Network().eval()
    nn.init.normal_(model.stage[0].blocker.weight)  # else the unit is the identity
    x = torch.rand(2, 8, 5, 7)
    with torch.no_grad(), capture_projections(model.stage[2]) as captured:
        out = model(x)
        inside = model.stage[1](model.stage[0](x))
    assert len(captured) == 1
    assert captured[0].shape == (2, 3, 5, 7)
    assert torch.equal(captured[0], model.stage[2].project(inside))
    model(x)  # the hook is gone
    assert len(captured) == 1
    assert torch.equal(out, model.stage[2](inside))
    with pytest.raises(RuntimeError, match="stop"), capture_projections(model.stage[2]):
        raise RuntimeError("stop")
    assert not model.stage[2]._forward_pre_hooks


def test_steps_in_time_are_assigned_to_the_nearest_frames():
    unit = GloReUnit(8, num_nodes=2, ndim=3)
    with capture_projections(unit) as captured:
        unit(torch.rand(1, 8, 2, 3, 4))
    maps = captured[0][0].numpy()
    assert maps.shape == (2, 2, 3, 4)
    for frame, step in zip(over_frames(maps, 4), (0, 0, 1, 1), strict=True):
        assert np.array_equal(frame, maps[:, step])
    steps = over_frames(np.arange(3).reshape(1, 3, 1, 1), 4)
    assert [int(step.item()) for step in steps] == [0, 1, 1, 2]


def test_hue_is_the_sign_and_brightness_the_magnitude():
    weights = np.zeros((8, 16), np.float32)
    weights[:, :4], weights[:, 4:8], weights[:, 8:12] = 2.0, -1.0, 9.0
    painted = paint_weights(GRAY, weights, full=2.0)
    assert painted.dtype == np.uint8
    # full; half green, half of the dim image 0.35 x 100; not brighter than full; the dim image
    assert painted[0, [0, 5, 9, 15]].tolist() == [[*RED], [18, 130, 48], [*RED], [35] * 3]
    other = paint_weights(GRAY, weights, full=2.0, colors="orange-blue")
    assert other[0, 0].tolist() == [255, 150, 20]


def planted():
    """Node 1 strong; 0 and 3 like it (3 negated); 2 and 5 orthogonal patterns; 4 nearly zero."""
    y, x = np.mgrid[:8, :8]
    even, left, checks = np.ones((8, 8)), np.sign(3.5 - x), (-1.0) ** (x + y)
    faint = 0.01 * np.sign(3.5 - y)
    return np.stack([even, 2 * even, left, -even, faint, checks + 0.2 * even])


def test_the_most_distinct_nodes_are_picked():
    assert pick_nodes([planted()], 3) == [1, 2, 5]
    # Then those like the first, and the weakest last.
    for number in (6, 99):
        assert pick_nodes([planted()], number) == [1, 2, 5, 0, 3, 4]
    with pytest.raises(ConfigError, match="is 0; expected 1 or more"):
        pick_nodes([planted()], 0)


def test_images_of_any_size_have_the_same_weight():
    small = planted()
    large = np.kron(small, np.ones((1, 4, 4)))
    large[2] = large[1]  # in the large image, nodes 1 and 2 are equal
    assert pick_nodes([small, large], 2) == pick_nodes([large, small], 2) == [1, 5]
    doubled = [np.concatenate([m, m], axis=2) for m in (small, large)]
    assert pick_nodes(doubled, 6) == pick_nodes([small, large], 6)


def draw(folder, images, weights, nodes, **options):
    file = folder / "projections.png"
    draw_projections(images, weights, file, nodes=nodes, **options)
    return np.array(Image.open(file).convert("RGB")).astype(int)


def test_images_are_rows_and_nodes_columns(tmp_path):
    image = np.full((40, 80, 3), 255, np.uint8)
    weights = np.stack([np.full((4, 8), 3.0), np.full((4, 8), -0.1)])
    one = draw(tmp_path, [image], [weights], [0, 1], title="unit")
    assert one.shape[1] == pytest.approx(3 * 2.6 * 120, abs=1)
    height, width = one.shape[:2]
    middle = one[int(0.45 * height), [int((i + 0.5) * width / 3) for i in range(3)]]
    assert middle.tolist() == [[255] * 3, [*RED], [*GREEN]]
    three = draw(tmp_path, [image] * 3, [weights] * 3, [0], colors="orange-blue")
    assert three.shape[0] - height == pytest.approx(2 * 1.3 * 120, abs=2)


def test_frames_of_a_clip_are_columns_and_nodes_rows(tmp_path):
    frames = [np.full((40, 80, 3), 255, np.uint8)] * 4
    weights = np.full((3, 2, 4, 8), 1.0)
    weights[0, 1] = -1.0  # green over the second half of the clip
    weights[2, 0] = 0.0
    image = draw(tmp_path, frames, over_frames(weights, 4), [0, 2], clip=True)
    found = set()
    for row in image:
        xs = np.flatnonzero((row != 255).any(axis=1))
        if len(xs) > 0.7 * image.shape[1]:
            middle = [int(xs[0] + (xs[-1] - xs[0]) * (i + 0.5) / 4) for i in range(4)]
            found.add(tuple(map(tuple, row[middle].tolist())))
    assert {(RED, RED, GREEN, GREEN), (DIM, DIM, RED, RED)} <= found
    small = draw(tmp_path, frames[:2], over_frames(weights, 2), [0], clip=True)
    assert image.shape[1] - small.shape[1] == pytest.approx(2 * 1.3 * 120, abs=1)
    assert image.shape[0] - small.shape[0] == pytest.approx(0.65 * 120, abs=1)
