"""mmseg's ResNets with GloRe units between their blocks (Section 3.5 and 4.2)."""

from collections.abc import Sequence
from typing import Any, Literal

from mmseg.models.backbones import ResNet
from mmseg.models.utils import ResLayer
from mmseg.registry import MODELS
from torch import Tensor, nn

from glore_seg.errors import CheckpointError, ConfigError
from glore_seg.layers.arguments import check_choice, check_merged
from glore_seg.layers.extra_units import stage_positions
from glore_seg.models.backbones.pretrained import missing_weights
from glore_seg.models.plugins import GloRePlugin

# deep_stem and avg_down of mmseg's ResNetV1c and ResNetV1d, and of its plain ResNet.
_VARIANTS = {"v1": (False, False), "v1c": (True, False), "v1d": (True, True)}


@MODELS.register_module()
class GloReResNet(ResNet):
    """mmseg's dilated ResNet with GloRe units inserted evenly between the blocks of its stages.

    The blocks keep the names of the plain network and units are ``layer3.units.<position>``, so
    that its ImageNet weights load, with only the units missing.

    Args:
        depth: 18, 34, 50, 101 or 152.
        variant: ``"v1c"`` (stem of three 3x3 convolutions), ``"v1"`` (one 7x7) or ``"v1d"``
            (v1c with average pooling in the shortcuts).
        num_units: Units in each stage; ``(0, 2, 3, 0)`` is two on Res3 and three on Res4.
        unit_positions: Explicit positions instead of ``num_units``, for each stage; a unit at p
            follows block p. ``((), (1, 3), (1, 3, 5), ())`` are those of the released ResNet-50.
        unit_cfg: Arguments of :class:`glore_seg.layers.GloReUnit`; N = C / 4 by default.
        multi_grid: Dilations of the blocks of the last stage, as in mmseg: (4, 8, 16) is the
            (1, 2, 4) of DeepLabv3 at output stride 8.
        **kwargs: Arguments of mmseg's ``ResNet``: ``strides``, ``dilations``,
            ``contract_dilation``, ``norm_cfg``, ``norm_eval``, ``with_cp``, ``base_channels``, ...

    Shape:
        - Input: (B, 3, H, W)
        - Output: a tuple of (B, C_i, H_i, W_i), one for each of ``out_indices``

    Raises:
        ConfigError: An argument is unknown or outside its range, see there.
        CheckpointError: The pretrained weights can neither be found nor downloaded.
    """

    def __init__(
        self,
        depth: int,
        *,
        variant: Literal["v1", "v1c", "v1d"] = "v1c",
        num_units: Sequence[int] | None = None,
        unit_positions: Sequence[Sequence[int]] | None = None,
        unit_cfg: dict[str, Any] | None = None,
        multi_grid: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        check_merged(
            "GloReResNet",
            kwargs,
            (ResNet,),
            "drop them: backbone=dict(_delete_=True, type='GloReResNet', ...)",
        )
        check_choice("variant", variant, _VARIANTS)
        check_choice("depth", depth, self.arch_settings)
        blocks = self.arch_settings[depth][1][: kwargs.get("num_stages", 4)]
        if multi_grid is not None and len(multi_grid) != blocks[-1]:
            raise ConfigError(
                f"multi_grid must have one rate for each of the {blocks[-1]} blocks of the last "
                f"stage of ResNet-{depth}, got {tuple(multi_grid)}"
            )
        self._positions = stage_positions(blocks, num_units, unit_positions)
        self._unit_cfg = {"norm_cfg": kwargs.get("norm_cfg"), **(unit_cfg or {})}
        deep_stem, avg_down = _VARIANTS[variant]
        super().__init__(
            depth, deep_stem=deep_stem, avg_down=avg_down, multi_grid=multi_grid, **kwargs
        )

    def make_res_layer(self, **kwargs: Any) -> ResLayer:
        """Build the next stage with its units."""
        positions = self._positions[len(self.res_layers)]
        if not positions:
            return super().make_res_layer(**kwargs)
        return GloReResLayer(positions=positions, unit_cfg=self._unit_cfg, **kwargs)

    def train(self, mode: bool = True) -> "GloReResNet":
        """Set the mode and return the network, which mmseg's ResNet does not."""
        super().train(mode)
        return self

    def init_weights(self) -> None:
        """Load the pretrained weights, or initialize as mmseg does, and then the units."""
        pretrained = isinstance(self.init_cfg, dict) and self.init_cfg.get("type") == "Pretrained"
        try:
            super().init_weights()
        except (CheckpointError, OSError) as error:
            if not pretrained:
                raise
            option = "pretrained" if self.pretrained else "backbone.init_cfg.checkpoint"
            checkpoint = self.init_cfg["checkpoint"]
            raise missing_weights(checkpoint, error, f"model.{option}") from error
        if not pretrained:
            # mmseg's Kaiming and constant initialization includes the units.
            for module in self.modules():
                if isinstance(module, GloRePlugin):
                    module.reset_parameters()


class GloReResLayer(ResLayer):
    """mmseg's ``ResLayer`` with a :class:`GloRePlugin` after the blocks of ``positions``."""

    def __init__(
        self, *, positions: Sequence[int], unit_cfg: dict[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        channels = kwargs["planes"] * kwargs["block"].expansion
        self.units = nn.ModuleDict(
            {str(position): GloRePlugin(channels, **unit_cfg) for position in positions}
        )

    def forward(self, x: Tensor) -> Tensor:
        """Run the blocks, each followed by its unit."""
        blocks = [module for name, module in self.named_children() if name != "units"]
        for count, block in enumerate(blocks, start=1):
            x = block(x)
            if str(count) in self.units:
                x = self.units[str(count)](x)
        return x
