"""Sliding windows of a segmentor's ``test_cfg``."""

from typing import Any

from glore_seg.errors import ConfigError


def check_windows(test_cfg: dict[str, Any]) -> None:
    """Check ``crop_size`` and ``stride``, and turn single numbers into pairs.

    Raises:
        ConfigError: One is no size, or the windows leave gaps.
    """
    for key in ("crop_size", "stride"):
        size = test_cfg.get(key)
        sides = [size, size] if isinstance(size, int) else size
        if (
            not isinstance(sides, list | tuple)
            or len(sides) != 2
            or not all(isinstance(side, int) and side > 0 for side in sides)
        ):
            raise ConfigError(
                f"model.test_cfg.{key} is {size!r}; expected height and width in pixels: set "
                "crop_size and stride in the config, or with --crop-size and --stride of submit.py"
            )
        test_cfg[key] = tuple(sides)
    stride, window = test_cfg["stride"], test_cfg["crop_size"]
    if stride[0] > window[0] or stride[1] > window[1]:
        raise ConfigError(
            f"stride is {stride} with a crop_size of {window}; expected at most the window's size, "
            "or pixels would be left out"
        )
