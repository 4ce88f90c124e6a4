"""How maps resemble each other, on maps of which it is known."""

import numpy as np
import pytest

from glore_seg.visualization.projection_statistics import map_statistics


def maps(images=4, nodes=6, seed=0):
    return np.random.default_rng(seed).standard_normal((images, nodes, 7, 9))


def test_equals_numpys_correlation():
    a, b = maps(), maps(seed=1)
    found = map_statistics(list(a), list(b))
    upper = np.triu_indices(6, 1)
    tables = [np.abs(np.corrcoef(m.reshape(6, -1))[upper]).mean() for m in a]
    assert found.between_nodes == pytest.approx(np.mean(tables))

    centered = a - a.mean((2, 3), keepdims=True)
    own, other = a - a.mean(0), b - b.mean(0)
    own_centred = own - own.mean((2, 3), keepdims=True)
    share = (own_centred**2).sum((0, 2, 3)) / (centered**2).sum((0, 2, 3))
    assert found.own == pytest.approx(share.mean())

    def along(others):
        pairs = [
            np.corrcoef(own[p, n].ravel(), others[p, n].ravel())[0, 1]
            for p in range(4)
            for n in range(6)
        ]
        return pytest.approx(np.mean(pairs))

    assert found.in_place == along(other)
    assert found.mirrored == along(other[..., ::-1])
    assert found.images == 4


def test_maps_that_follow_the_image():
    place = 3 * maps(1, seed=2)  # what every image gets, beside its own
    a = maps(40) + place
    mirrored = maps(40)[..., ::-1] + place
    found = map_statistics(list(a), list(mirrored))
    assert found.own == pytest.approx(0.1, abs=0.01)  # 1 of 1 + 3 squared
    assert found.mirrored == pytest.approx(1)
    assert abs(found.in_place) < 0.3
    assert found.between_nodes < 0.3


def test_maps_of_the_place_alone_and_nodes_that_look_at_the_same():
    same = np.stack([maps(1)[0]] * 3)
    found = map_statistics(list(same), list(same))
    assert (found.own, found.mirrored, found.in_place) == pytest.approx((0, 0, 0), abs=1e-12)
    node = maps(3, 1)
    alike = np.concatenate([node, -3 * node, node + 1], axis=1)
    found = map_statistics(list(alike), list(alike))
    assert found.between_nodes == pytest.approx(1)
    assert str(found).startswith("maps on 3 images: mean absolute correlation of two nodes 1.00;")


def test_even_maps_count_as_nothing():
    found = map_statistics([np.ones((2, 3, 3))] * 2, [np.ones((2, 3, 3))] * 2)
    assert (found.between_nodes, found.own, found.mirrored, found.in_place) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("number", "mirrored", "shape"),
    [(0, 0, (2, 3, 3)), (1, 1, (2, 3, 3)), (2, 1, (2, 3, 3)), (2, 2, (1, 3, 3)), (2, 2, (3, 3))],
)
def test_refuses(number, mirrored, shape):
    with pytest.raises(ValueError, match=f"^{number} images and {mirrored} mirrored .* two or"):
        map_statistics([np.ones(shape)] * number, [np.ones(shape)] * mirrored)


def test_refuses_images_of_several_sizes():
    sizes = [np.ones((2, 3, 3)), np.ones((2, 3, 4))]
    with pytest.raises(ValueError, match=r"\(2, 3, 3\), \(2, 3, 4\).*give images of one size"):
        map_statistics(sizes, sizes)
