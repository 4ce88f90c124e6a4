"""``_base_ = 'glore_seg::fcn_r50_glore_cityscapes.py'`` in anybody's config.

mmengine knows the names of OpenMMLab's own packages alone, and asks for a folder behind them.
"""

import difflib
from pathlib import Path

from glore_seg.compat.patch import Patch
from glore_seg.errors import ConfigError

PREFIX = "glore_seg::"
CONFIGS = Path(__file__).parents[1] / ".mim" / "configs"


def config_path(name: str) -> str:
    """Path of a config that comes with the package.

    Args:
        name: Its name below ``configs/``, with ``.py``.

    Raises:
        ConfigError: There is none of that name.
    """
    path = CONFIGS / name
    # resolve() of both: in a checkout `.mim/configs` is a link.
    inside = path.resolve().is_relative_to(CONFIGS.resolve())
    if inside and path.is_file():
        return str(path)
    names = [file.relative_to(CONFIGS).as_posix() for file in CONFIGS.rglob("*.py")]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{PREFIX}{close[0]}'?" if close else ""
    raise ConfigError(f"'{PREFIX}{name}': glore_seg has no config {name!r}{hint}")


def _not_needed() -> str:
    from mmengine.config import Config

    known = getattr(Config._get_cfg_path, "knows_glore_seg", False)
    return "already done" if known else ""


def _apply() -> None:
    from mmengine.config import Config

    original = Config._get_cfg_path

    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if cfg_path.startswith(PREFIX):
            # No scope: what a config of ours inherits from upstream bears upstream's already.
            return config_path(cfg_path.removeprefix(PREFIX)), None
        return original(cfg_path, filename)

    get_cfg_path.knows_glore_seg = True  # type: ignore[attr-defined]
    Config._get_cfg_path = staticmethod(get_cfg_path)


PATCH = Patch(
    name="own_configs",
    reason="configs with _base_ = 'glore_seg::...': mmengine knows OpenMMLab's own packages alone",
    upstream="mmengine",
    not_needed=_not_needed,
    apply=_apply,
)
