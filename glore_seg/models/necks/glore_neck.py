"""GloRe units between any backbone and any decode head."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_count, check_merged
from glore_seg.models.plugins import build_units


@MODELS.register_module()
class GloReNeck(BaseModule):
    """Applies GloRe units to some of a backbone's feature maps and returns the others unchanged.

    In a config with a neck of its own, before it:
    ``neck=[dict(type="GloReNeck", in_channels=...), _base_.model.neck]``.

    Args:
        in_channels: Channels of each feature map that the backbone returns.
        levels: Feature maps with units, as indices into ``in_channels``; negative ones count
            from the last. Default: the last only.
        num_units: Units in a row on each of these levels, at least 1.
        norm_cfg: Last norm of the units. Default: BatchNorm.
        unit_cfg: Further arguments of :class:`glore_seg.layers.GloReUnit`, such as
            ``dict(num_nodes=64)``.
        init_cfg: As usual in OpenMMLab.
        **merged: None. Those of another neck, merged from the ``_base_`` config, are refused.

    Shape:
        - Input: a sequence of (B, C_i, H_i, W_i), one for each of ``in_channels``
        - Output: a tuple of the same shapes

    Raises:
        ConfigError: An argument is unknown, ``num_units`` is below 1, a level is outside or
            repeated, or the feature maps differ from ``in_channels`` in number or channels.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        *,
        levels: Sequence[int] = (-1,),
        num_units: int = 1,
        norm_cfg: dict[str, Any] | None = None,
        unit_cfg: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
        **merged: Any,
    ) -> None:
        super().__init__(init_cfg)
        check_merged(
            "GloReNeck",
            merged,
            (),
            "keep both: neck=[dict(type='GloReNeck', in_channels=...), _base_.model.neck]",
        )
        check_count("num_units", num_units, at_least=1)
        count = len(in_channels)
        indices = {level % count for level in levels if -count <= level < count}
        if len(indices) != len(levels):
            raise ConfigError(
                f"levels are {tuple(levels)}; expected different indices of the {count} feature "
                f"maps of in_channels={tuple(in_channels)}"
            )
        self.in_channels = tuple(in_channels)
        self.units = nn.ModuleDict(
            {
                str(i): build_units(num_units, in_channels[i], norm_cfg, unit_cfg)
                for i in sorted(indices)
            }
        )

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Run the units of each level."""
        channels = tuple(x.shape[1] for x in inputs)
        wrong = len(channels) != len(self.in_channels) or any(
            channels[i] != self.in_channels[i] for i in map(int, self.units)
        )
        if wrong:
            raise ConfigError(
                f"GloReNeck was built with in_channels={self.in_channels}, the channels of the "
                f"backbone's feature maps are {channels}: set in_channels={channels}"
            )
        outs = list(inputs)
        for index, units in self.units.items():
            outs[int(index)] = units(outs[int(index)])
        return tuple(outs)
