"""How similar the projection maps of a unit's nodes are, and whether they follow the image.

`python -m projects.reproduction.map_statistics CONFIG CHECKPOINT`

Shape legend: P images; N nodes of a unit; h, w size of its map.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glore_seg.apis import load_config
from glore_seg.apis.predictor import Predictor
from glore_seg.apis.splits import build_image_dataset, read_image
from glore_seg.apis.visualize import evenly_spaced
from glore_seg.cli import add_cfg_options, run_tool
from glore_seg.errors import ConfigError
from glore_seg.utils.progress import track
from glore_seg.visualization import find_unit


@dataclass(frozen=True)
class MapStatistics:
    """Means of Pearson correlations between the maps of a unit.

    The residual of a map is its difference from the mean map of its node over all images: roads
    are at the bottom of every image, for example, and image borders look alike.
    """

    images: int
    # Absolute, of two nodes on the same image; 1 if all look at the same, up to the sign.
    between_nodes: float
    residual: float  # its share in the variance within maps, 0 to 1; 0 if all images get one map
    # Of an image's residual with the mirrored image's, mirrored back; 1 if maps follow the content.
    mirrored: float
    unmirrored: float  # the same without mirroring back; below it if maps move with the content


def map_statistics(
    weights: Sequence[np.ndarray], mirrored_weights: Sequence[np.ndarray]
) -> MapStatistics:
    """Compare the maps of a unit's nodes with each other, and with those of mirrored images.

    Maps are (N, h, w); those of mirrored images are not mirrored back. Constant maps have
    correlation 0. Fewer than two images or nodes, or several sizes, raise a ConfigError.
    """
    shapes = sorted({w.shape for w in weights})
    if len(weights) < 2 or len(shapes) > 1 or shapes[0][0] < 2:
        raise ConfigError(
            f"{len(weights)} images with maps of {shapes}; expected two or more images of one "
            "size, and two or more nodes"
        )
    # (P, N, h, w)
    maps, others = (np.stack(w).astype(np.float64) for w in (weights, mirrored_weights))
    maps, others = (m - m.mean(axis=(-2, -1), keepdims=True) for m in (maps, others))
    table = _correlation(maps[:, :, None], maps[:, None])  # (P, N, N)
    own, other_own = _residual(maps), _residual(others)  # (P, N, h, w)
    variance = np.square(maps).sum(axis=(0, 2, 3))  # (N,)
    share = np.square(own).sum(axis=(0, 2, 3)) / np.maximum(variance, np.finfo(np.float64).tiny)
    return MapStatistics(
        images=len(maps),
        between_nodes=float(np.abs(table[:, ~np.eye(maps.shape[1], dtype=bool)]).mean()),
        residual=float(share.mean()),
        mirrored=float(_correlation(own, other_own[..., ::-1]).mean()),
        unmirrored=float(_correlation(own, other_own).mean()),
    )


def _residual(maps: np.ndarray) -> np.ndarray:
    residual = maps - maps.mean(axis=0)
    # Rounding errors of equal maps would correlate with themselves.
    return np.where(np.abs(residual) > 1e-9 * np.abs(maps).max(), residual, 0)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlation of centered maps along their last two axes; 0 if one is constant."""
    product = np.einsum("...hw,...hw->...", a, b)
    norms = [np.sqrt(np.einsum("...hw,...hw->...", x, x)) for x in (a, b)]
    return product / np.maximum(norms[0] * norms[1], np.finfo(np.float64).tiny)


def main(argv: Sequence[str] | None = None) -> MapStatistics:
    """Compute the statistics of one unit over a split."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.reproduction.map_statistics",
        description="Compare the projection maps of a unit's nodes with each other, and with those "
        "of mirrored images.",
        epilog="example: %(prog)s CONFIG CHECKPOINT",
    )
    parser.add_argument("config", help="config of a network for segmentation or classification")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("--unit", help="name of the unit (default: the last)")
    parser.add_argument("--split", choices=["train", "val", "test"], default="val")
    text = "spaced evenly over the split (default: 40)"
    parser.add_argument("--num-images", type=int, default=40, help=text)
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    cfg = load_config(args.config, cfg_options=args.cfg_options)
    dataset = build_image_dataset(cfg, args.split)
    indices = evenly_spaced(dataset, args.num_images)
    predictor = Predictor(cfg, args.checkpoint)
    _, unit = find_unit(predictor.model, args.unit)
    weights, mirrored = [], []
    for index in track(indices, len(indices), "projecting"):
        path = read_image(dataset, index).path
        weights.append(predictor.project(path, unit))
        mirrored.append(predictor.project(path, unit, mirrored=True))
    found = map_statistics(weights, mirrored)
    print(
        f"maps on {found.images} images: mean absolute correlation of two nodes "
        f"{found.between_nodes:.2f}; {100 * found.residual:.0f} % of a map's variance is specific "
        f"to its image, and correlates with the mirrored image's by {found.mirrored:.2f} mirrored "
        f"back, by {found.unmirrored:.2f} otherwise"
    )
    return found


if __name__ == "__main__":
    run_tool(main)
