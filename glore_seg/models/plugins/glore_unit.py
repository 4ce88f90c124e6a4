"""The GloRe unit as OpenMMLab builds layers: from a config, with ``norm_cfg``."""

from typing import Any

from mmengine.registry import MODELS

from glore_seg.errors import ConfigError
from glore_seg.layers import GloReUnit
from glore_seg.models.norm import norm_layer_of


@MODELS.register_module(name="GloReUnit")
class GloRePlugin(GloReUnit):
    """:class:`glore_seg.layers.GloReUnit`, registered as ``GloReUnit`` for every OpenMMLab library.

    Stands wherever a plugin layer is built, for example inside the blocks of a stock ResNet:
    ``plugins=[dict(cfg=dict(type='GloReUnit'), stages=(False, False, True, False),
    position='after_conv3')]``.

    Args:
        in_channels: Channels C of the input and the output.
        norm_cfg: The last norm, as everywhere in OpenMMLab. ``eps`` is the released 1e-4 unless
            given. Default: BatchNorm.
        **options: All other arguments of :class:`glore_seg.layers.GloReUnit` but ``norm_layer``.

    Raises:
        ConfigError: An argument is outside its range.
        ConfigError: An argument is unknown.
    """

    _abbr_ = "glore_unit"

    def __init__(
        self, in_channels: int, *, norm_cfg: dict[str, Any] | None = None, **options: Any
    ) -> None:
        if "norm_layer" in options:
            raise ConfigError("norm_layer cannot come from a config; pass norm_cfg instead")
        norm_layer = norm_layer_of(norm_cfg, ndim=options.get("ndim", 2))
        super().__init__(in_channels, norm_layer=norm_layer, **options)
