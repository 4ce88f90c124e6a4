import numpy as np
import pytest

from glore_seg.errors import ConfigError
from projects.reproduction.map_statistics import MapStatistics, main, map_statistics


def maps(images=4, nodes=6, seed=0):
    return np.random.default_rng(seed).standard_normal((images, nodes, 7, 9))


def test_equals_numpys_correlation():
    a, b = maps(), maps(seed=1)
    found = map_statistics(list(a), list(b))
    upper = np.triu_indices(6, 1)
    tables = [np.abs(np.corrcoef(m.reshape(6, -1))[upper]).mean() for m in a]
    assert found.between_nodes == pytest.approx(np.mean(tables))

    centered = a - a.mean((2, 3), keepdims=True)
    residual, other = a - a.mean(0), b - b.mean(0)
    variance = ((residual - residual.mean((2, 3), keepdims=True)) ** 2).sum((0, 2, 3))
    assert found.residual == pytest.approx((variance / (centered**2).sum((0, 2, 3))).mean())

    def correlation(others):
        pairs = zip(residual.reshape(24, -1), others.reshape(24, -1), strict=True)
        return pytest.approx(np.mean([np.corrcoef(*pair)[0, 1] for pair in pairs]))

    assert found.unmirrored == correlation(other)
    assert found.mirrored == correlation(other[..., ::-1])
    assert found.images == 4


def test_maps_that_follow_the_image():
    common = 3 * maps(1, seed=2)  # the same for every image
    found = map_statistics(list(maps(40) + common), list(maps(40)[..., ::-1] + common))
    assert found.residual == pytest.approx(0.1, abs=0.01)  # 1 of 1 + 3 squared
    assert found.mirrored == pytest.approx(1)
    assert abs(found.unmirrored) < 0.3
    assert found.between_nodes < 0.3


def test_equal_maps_of_images_or_of_nodes():
    same = [maps(1)[0]] * 3
    found = map_statistics(same, same)
    values = (found.residual, found.mirrored, found.unmirrored)
    assert values == pytest.approx((0, 0, 0), abs=1e-12)
    node = maps(3, 1)
    alike = list(np.concatenate([node, -3 * node, node + 1], axis=1))
    assert map_statistics(alike, alike).between_nodes == pytest.approx(1)
    constant = [np.ones((2, 3, 3))] * 2
    assert map_statistics(constant, constant) == MapStatistics(2, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "shapes", [[], [(2, 3, 3)], [(1, 3, 3), (1, 3, 3)], [(2, 3, 3), (2, 3, 4)]]
)
def test_rejects_single_images_nodes_and_several_sizes(shapes):
    weights = [np.ones(shape) for shape in shapes]
    with pytest.raises(ConfigError, match=f"^{len(shapes)} images .* two or more"):
        map_statistics(weights, weights)


def test_statistics_of_a_checkpoint(small_config, trained, capsys):
    found = main([str(small_config), str(trained / "iter_4.pth"), "--num-images", "2"])
    assert found.images == 2
    assert 0 <= found.between_nodes <= 1
    assert "maps on 2 images" in capsys.readouterr().out
