"""The segmentation head of Section 4.1: units between two adaptive convolutions."""

from typing import Any

import torch
from mmseg.models.decode_heads import FCNHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_count, check_merged
from glore_seg.models.plugins import build_units


@MODELS.register_module()
class GloReHead(FCNHead):
    """FCN head with GloRe units "just before the final classifier, between two adaptive convs".

    Adaptive conv (in_channels -> channels), ``num_units`` units in a row, second adaptive conv,
    dropout, 1x1 classifier. With ``num_units=0`` it is the FCN baseline of Table 3, and mmseg's
    ``FCNHead`` with ``concat_input=False``, whose parameter names it shares. In a config it takes
    the place of most other heads with ``_delete_=True``, which drops their arguments.

    Args:
        num_units: Units in a row, 0 or more (Table 3: 0, 1, 2).
        num_nodes: Graph nodes N of each unit.
        num_states: Features S of a node. Default: 2 N.
        unit_cfg: Further arguments of :class:`glore_seg.layers.GloReUnit`, such as
            ``dict(zero_init=False)``; they override the two above.
        num_convs: Adaptive convolutions: 2 as in the authors' head, or 1, the first only, as in
            PaddleSeg's.
        kernel_size: Of the adaptive convolutions, odd: 3 in the authors' head, 1 in PaddleSeg's.
        concat_input: mmseg's option to concatenate the input before the classifier; the paper
            does not.
        **kwargs: Arguments of mmseg's ``FCNHead`` and ``BaseDecodeHead``: ``in_channels``,
            ``channels``, ``num_classes``, ``norm_cfg``, ``dropout_ratio``, ...

    Shape:
        - Input: the backbone's feature maps; the one at ``in_index`` is (B, in_channels, H, W)
        - Output: logits (B, num_classes, H, W)

    Raises:
        ConfigError: An argument is unknown or outside its range, or ``in_channels`` are several
            without ``input_transform="resize_concat"``.
    """

    def __init__(
        self,
        *,
        num_units: int = 1,
        num_nodes: int = 64,
        num_states: int | None = None,
        unit_cfg: dict[str, Any] | None = None,
        num_convs: int = 2,
        kernel_size: int = 3,
        concat_input: bool = False,
        **kwargs: Any,
    ) -> None:
        check_merged(
            "GloReHead",
            kwargs,
            (FCNHead, BaseDecodeHead),
            "drop them: decode_head=dict(_delete_=True, type='GloReHead', in_channels=..., "
            "channels=..., num_classes=..., norm_cfg=...)",
        )
        in_channels, transform = kwargs.get("in_channels"), kwargs.get("input_transform")
        if isinstance(in_channels, (list, tuple)) and transform != "resize_concat":
            raise ConfigError(
                f"in_channels={in_channels} are those of several feature maps; expected "
                "input_transform='resize_concat', or in_channels and in_index of one map"
            )
        check_count("num_units", num_units, at_least=0)
        if num_convs not in (1, 2):
            raise ConfigError(
                f"num_convs must be 2 (convolutions before and after the units) or 1 (before "
                f"only), got {num_convs}"
            )
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ConfigError(f"kernel_size must be odd and positive, got {kernel_size}")
        super().__init__(
            num_convs=num_convs, kernel_size=kernel_size, concat_input=concat_input, **kwargs
        )
        unit_cfg = {"num_nodes": num_nodes, "num_states": num_states, **(unit_cfg or {})}
        self.units = build_units(num_units, self.channels, self.norm_cfg, unit_cfg)

    def _forward_feature(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """From the backbone's feature maps to (B, channels, H, W) before the classifier."""
        x = self._transform_inputs(inputs)  # (B, in_channels, H, W)
        feats = self.units(self.convs[0](x))  # (B, channels, H, W)
        for conv in self.convs[1:]:
            feats = conv(feats)
        if self.concat_input:
            feats = self.conv_cat(torch.cat([x, feats], dim=1))
        return feats
