"""Sliding windows, as a segmentor's ``test_cfg`` has them."""

from mmengine.config import Config

from glore_seg.errors import ConfigError


def check_windows(cfg: Config) -> None:
    """Refuse sliding windows that mmseg could not use; one number stands for both sides.

    Raises:
        ConfigError: Windows are missing, are no sizes, or leave gaps.
    """
    test_cfg = cfg.model.get("test_cfg") or {}
    if test_cfg.get("mode") != "slide":
        return
    sizes = {}
    for key in ("crop_size", "stride"):
        size = test_cfg.get(key)
        size = (size, size) if isinstance(size, int) else size
        if (
            not isinstance(size, list | tuple)
            or len(size) != 2
            or not all(isinstance(side, int) and side > 0 for side in size)
        ):
            raise ConfigError(
                f"model.test_cfg.{key} is {size!r}; expected the height and width of sliding "
                "windows' size and step, in pixels, in model.test_cfg.crop_size and .stride: set "
                "both in the config, with cfg options, or with --crop-size and --stride of "
                "submit.py"
            )
        sizes[key] = tuple(size)
    if any(step > side for step, side in zip(sizes["stride"], sizes["crop_size"], strict=True)):
        raise ConfigError(
            f"stride is {sizes['stride']} with a crop_size of {sizes['crop_size']}; expected steps "
            "of 1 to the window's size, or pixels would be left out"
        )
    test_cfg.update(sizes)
