import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from glore_seg.layers import GloReUnit
from glore_seg.visualization import (
    capture_projections,
    draw_projections,
    find_unit,
    over_frames,
    paint_weights,
    pick_nodes,
)

GREY = np.full((8, 16, 3), 100, np.uint8)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage = nn.Sequential(GloReUnit(8), nn.ReLU(), GloReUnit(8, num_nodes=3))
        self.auxiliary_head = GloReUnit(8)

    def forward(self, x):
        return self.stage(x)


def test_units_are_found_by_name_and_by_default_the_last_one_that_predicts():
    model = Network()
    assert find_unit(model) == ("stage.2", model.stage[2])
    assert find_unit(model, "stage.0")[1] is model.stage[0]
    assert find_unit(model, "auxiliary_head")[1] is model.auxiliary_head
    with pytest.raises(ValueError, match=r"unit 'stage\.1' is none .* it has stage\.0, stage\.2"):
        find_unit(model, "stage.1")
    with pytest.raises(ValueError, match="this ReLU has no GloRe unit"):
        find_unit(nn.ReLU())


def test_captured_weights_equal_the_projection_of_the_units_input():
    model = Network().eval()
    # A unit that is zero-initialized at its end passes its input on.
    nn.init.normal_(model.stage[0].blocker.weight)
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


def test_the_hook_goes_after_an_error():
    unit = GloReUnit(8)
    with pytest.raises(RuntimeError, match="stop"), capture_projections(unit):
        raise RuntimeError("stop")
    assert not unit._forward_pre_hooks


def test_video_maps_go_over_the_frames():
    unit = GloReUnit(8, num_nodes=2, ndim=3)
    with capture_projections(unit) as captured:
        unit(torch.rand(1, 8, 2, 3, 4))
    maps = captured[0][0].numpy()
    assert maps.shape == (2, 2, 3, 4)
    frames = over_frames(maps, 4)
    assert [frame.shape for frame in frames] == [(2, 3, 4)] * 4
    for frame, step in zip(frames, (0, 0, 1, 1), strict=True):
        assert np.array_equal(frame, maps[:, step])
    assert [int(f[0, 0, 0]) for f in over_frames(np.arange(3).reshape(1, 3, 1, 1), 4)] == [
        0,
        1,
        1,
        2,
    ]


def test_hue_is_the_sign_and_brightness_the_magnitude():
    weights = np.zeros((8, 16), np.float32)
    weights[:, :4], weights[:, 4:8], weights[:, 8:12] = 2.0, -1.0, 9.0
    painted = paint_weights(GREY, weights, full=2.0)
    assert painted.dtype == np.uint8
    assert painted[0, 0].tolist() == [255, 40, 30]  # red, full
    # Half green, half of the dimmed image: 0.35 x 100.
    assert painted[0, 5].tolist() == [18, 130, 48]
    assert painted[0, 9].tolist() == [255, 40, 30]  # no brighter than full
    assert painted[0, 15].tolist() == [35, 35, 35]  # zero shows the image
    other = paint_weights(GREY, weights, full=2.0, colors="orange-blue")
    assert other[0, 0].tolist() == [255, 150, 20]


def test_a_coarse_map_is_stretched_over_the_image():
    painted = paint_weights(GREY, np.array([[1.0, -1.0]], np.float32), full=1.0)
    assert painted.shape == GREY.shape
    assert (painted[:, :7, 0] > painted[:, :7, 1]).all()
    assert (painted[:, 9:, 1] > painted[:, 9:, 0]).all()


def test_wrong_colors_are_refused():
    with pytest.raises(ValueError, match="colors is 'pink'; expected one of red-green, orange-b"):
        paint_weights(GREY, np.zeros((8, 16)), full=1, colors="pink")
    with pytest.raises(ValueError, match="full is 0; expected a magnitude above 0"):
        paint_weights(GREY, np.zeros((8, 16)), full=0)


def planted():
    """Node 1 strong; 0 and 3 like it (3 negated); 2 and 5 orthogonal patterns; 4 nearly dead."""
    y, x = np.mgrid[:8, :8]
    even, left, checks = np.ones((8, 8)), np.sign(3.5 - x), (-1.0) ** (x + y)
    faint = 0.01 * np.sign(3.5 - y)
    return np.stack([even, 2 * even, left, -even, faint, checks + 0.2 * even])


def test_the_most_distinct_nodes_are_picked():
    assert pick_nodes([planted()], 3) == [1, 2, 5]
    # Then those like the first, and what is nearly dead last.
    assert pick_nodes([planted()], 6) == [1, 2, 5, 0, 3, 4]
    assert pick_nodes([planted()], 99) == [1, 2, 5, 0, 3, 4]
    with pytest.raises(ValueError, match="number of nodes is 0; expected 1 or more"):
        pick_nodes([planted()], 0)


def test_images_of_any_size_count_alike():
    small = planted()
    # In the large image node 2 does as node 1 does, and there are more of its pixels.
    large = np.kron(small, np.ones((1, 4, 4)))
    large[2] = large[1]
    assert pick_nodes([small, large], 2) == pick_nodes([large, small], 2) == [1, 5]
    doubled = [np.concatenate([m, m], axis=2) for m in (small, large)]
    assert pick_nodes(doubled, 6) == pick_nodes([small, large], 6)


def draw(folder, images, weights, nodes, **options):
    file = folder / "projections.png"
    draw_projections(images, weights, file, nodes=nodes, **options)
    return np.array(Image.open(file).convert("RGB")).astype(int)


def test_figure_shows_each_node_in_its_color(tmp_path):
    image = np.full((40, 80, 3), 255, np.uint8)
    weights = np.stack([np.full((4, 8), 3.0), np.full((4, 8), -0.1)])
    drawn = draw(tmp_path, [image], [weights], [0, 1], title="unit")
    assert drawn.shape[1] == pytest.approx(3 * 2.6 * 120, abs=1)
    height, width = drawn.shape[:2]
    middle = drawn[int(0.45 * height), [int((i + 0.5) * width / 3) for i in range(3)]]
    assert middle.tolist() == [[255, 255, 255], [255, 40, 30], [0, 225, 60]]


def test_figure_of_a_clip_has_a_row_a_frame(tmp_path):
    unit = GloReUnit(8, num_nodes=4, ndim=3)
    with capture_projections(unit) as captured:
        unit(torch.rand(1, 8, 2, 4, 8))
    clip = np.full((3, 40, 80, 3), 128, np.uint8)
    maps = over_frames(captured[0][0].numpy(), len(clip))
    one = draw(tmp_path, clip[:1], maps[:1], [0])
    three = draw(tmp_path, clip, maps, [0])
    assert three.shape[0] - one.shape[0] == pytest.approx(2 * 1.3 * 120, abs=2)


@pytest.mark.parametrize(
    ("images", "shape", "nodes", "message"),
    [
        (0, (2, 4, 4), [0], "0 images, 0 maps and 1 nodes; expected one or more"),
        (1, (2, 4, 4), [], "0 nodes; expected"),
        (1, (2, 3, 4, 4), [0], r"shape \(2, 3, 4, 4\); expected \(N, h, w\) .* over_frames"),
        (
            1,
            (2, 4, 4),
            [0, 2, -1],
            r"nodes \[2, -1\] are none of the unit's; it has 2, from 0 to 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, images, shape, nodes, message):
    with pytest.raises(ValueError, match=message):
        draw(tmp_path, [GREY] * images, [np.ones(shape)] * images, nodes)
    assert list(tmp_path.iterdir()) == []
