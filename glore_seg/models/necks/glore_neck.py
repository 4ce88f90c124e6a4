"""GloRe units between any backbone and any decode head."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_count
from glore_seg.models.plugins import build_units


@MODELS.register_module()
class GloReNeck(BaseModule):
    """Applies GloRe units to some of a backbone's feature maps and returns the others unchanged.

    Args:
        in_channels: Channels of each feature map that the backbone returns.
        levels: Feature maps with units, as indices into ``in_channels``; negative ones count
            from the last. Default: the last only.
        num_units: Units in a row on each of these levels, at least 1.
        norm_cfg: Last norm of the units. Default: BatchNorm.
        unit_cfg: Further arguments of :class:`glore_seg.layers.GloReUnit`, such as
            ``dict(num_nodes=64)``.
        init_cfg: As usual in OpenMMLab.

    Shape:
        - Input: a sequence of (B, C_i, H_i, W_i), one for each of ``in_channels``
        - Output: a tuple of the same shapes

    Raises:
        ConfigError: ``num_units`` is below 1, a level is outside or repeated, or the number of
            feature maps differs from that of ``in_channels``.
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
    ) -> None:
        super().__init__(init_cfg)
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
        if len(inputs) != len(self.in_channels):
            raise ConfigError(
                f"GloReNeck was built for {len(self.in_channels)} feature maps (in_channels="
                f"{list(self.in_channels)}), the backbone returns {len(inputs)}; compare "
                "in_channels with the backbone's out_indices"
            )
        outs = list(inputs)
        for index, units in self.units.items():
            outs[int(index)] = units(outs[int(index)])
        return tuple(outs)
