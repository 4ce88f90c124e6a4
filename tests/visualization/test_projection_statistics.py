"""How maps resemble each other, on maps of which it is known."""

import numpy as np
import pytest

from glore_seg.visualization.projection_statistics import map_statistics


def maps(number=6, seed=0):
    return np.random.default_rng(seed).standard_normal((number, 7, 9))


def test_equals_numpys_correlation():
    a, b = maps(), maps(seed=1)
    found = map_statistics([a], [b])
    table = np.corrcoef(a.reshape(6, -1))
    assert found.between_nodes == pytest.approx(np.abs(table[np.triu_indices(6, 1)]).mean())

    def along(others):
        pairs = [np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(a, others, strict=True)]
        return pytest.approx(np.mean(pairs))

    assert found.in_place == along(b)
    assert found.mirrored == along(b[..., ::-1])


def test_what_the_ends_of_the_scale_mean():
    a = maps()
    follows = map_statistics([a, 2 * a + 3], [a[..., ::-1], a[..., ::-1]])
    assert follows.mirrored == pytest.approx(1)
    assert abs(follows.in_place) < 0.3
    assert follows.between_nodes < 0.3
    fixed = map_statistics([a], [a])
    assert fixed.in_place == pytest.approx(1)
    same = np.stack([a[0], -3 * a[0], a[0] + 1])
    assert map_statistics([same], [same]).between_nodes == pytest.approx(1)
    assert "between two nodes 1.00 (absolute)" in str(map_statistics([same], [same]))


def test_even_maps_count_as_nothing():
    found = map_statistics([np.ones((2, 3, 3))], [np.ones((2, 3, 3))])
    assert (found.between_nodes, found.mirrored, found.in_place) == (0, 0, 0)


@pytest.mark.parametrize("pair", [([], []), ([maps()], []), ([maps(1)], [maps(1)])])
def test_refuses(pair):
    with pytest.raises(ValueError, match=r"expected one or more pictures, and for both the same"):
        map_statistics(*pair)
