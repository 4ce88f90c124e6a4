"""The GloRe unit as OpenMMLab builds layers: from a config, with ``norm_cfg``."""

from typing import Any

from mmengine.registry import MODELS
from torch import nn

from glore_seg.layers import GloReUnit
from glore_seg.models.norm import norm_builder


@MODELS.register_module(name="GloReUnit")
class GloRePlugin(GloReUnit):
    """:class:`glore_seg.layers.GloReUnit`, registered as ``GloReUnit`` for every OpenMMLab library.

    Any network that takes plugin layers can use it, for example in the blocks of mmseg's ResNet:
    ``plugins=[dict(cfg=dict(type='GloReUnit'), stages=(False, False, True, False),
    position='after_conv3')]``.

    Args:
        in_channels: Channels C of the input and the output.
        norm_cfg: The last norm, as usual in OpenMMLab. ``eps`` is the released 1e-4 unless
            given. Default: BatchNorm.
        **options: Arguments of :class:`glore_seg.layers.GloReUnit`.

    Raises:
        ConfigError: An argument is outside its range.
    """

    _abbr_ = "glore_unit"

    def __init__(
        self, in_channels: int, *, norm_cfg: dict[str, Any] | None = None, **options: Any
    ) -> None:
        norm_layer = norm_builder(norm_cfg, ndim=options.get("ndim", 2))
        super().__init__(in_channels, norm_layer=norm_layer, **options)


def build_units(
    count: int, channels: int, norm_cfg: dict[str, Any] | None, unit_cfg: dict[str, Any] | None
) -> nn.Sequential:
    """``count`` units in a row, with the norm of ``norm_cfg`` unless ``unit_cfg`` has another."""
    options = {"norm_cfg": norm_cfg, **(unit_cfg or {})}
    return nn.Sequential(*(GloRePlugin(channels, **options) for _ in range(count)))
