"""What the network of each row counts, without running it."""

from collections.abc import Sequence

from mmengine.config import Config

from glore_seg.apis.complexity import Complexity, count_config
from glore_seg.apis.input_sizes import input_sizes
from projects.reproduction.ablation.plan import Row


def count_rows(rows: Sequence[Row]) -> dict[str, Complexity]:
    """Count parameters, and MACs of one image of :func:`image_size`.

    Returns:
        Counts by the row's name.
    """
    return {row.name: count_config(row.cfg, (3, *image_size(row.cfg))) for row in rows}


def image_size(cfg: Config) -> tuple[int, ...]:
    """Height and width of the crop that is trained on; those of the paper where none is set."""
    size = (cfg.model.get("data_preprocessor") or {}).get("size")
    return tuple(size) if size else input_sizes(cfg)
