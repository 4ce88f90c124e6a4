"""The paper's ImageNet networks as a backbone of any OpenMMLab library."""

from typing import Any

from mmengine.model import BaseModule
from mmengine.registry import MODELS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from glore_seg.errors import ConfigError
from glore_seg.layers.arguments import check_merged
from glore_seg.layers.extra_units import hidden_options
from glore_seg.layers.preact import PreActNet
from glore_seg.models.backbones.pretrained import check_pretrained_units, load_pretrained
from glore_seg.models.norm import norm_builder


@MODELS.register_module()
class GloRePreActNet(PreActNet, BaseModule):
    """:class:`glore_seg.layers.PreActNet`, for mmpretrain's classifiers and mmseg's segmentors.

    A classifier's checkpoint initializes the backbone of a segmentor by
    ``init_cfg=dict(type="Pretrained", checkpoint="...", prefix="backbone.")``. Everything but the
    units must fit; units that it contains must have been trained with the same ``normalize``,
    which weights do not show.

    Args:
        arch: One of the networks that :class:`glore_seg.layers.PreActNet` lists.
        norm_cfg: As usual in OpenMMLab; ``eps`` is the released 1e-4 unless given. Default:
            BatchNorm.
        frozen_stages: Stages to freeze, with their statistics: -1 for none, 0 for the stem, 1 to
            4 for the stem and that many stages.
        norm_eval: Use BatchNorm's running statistics in training, in all stages.
        init_cfg: As usual in OpenMMLab.
        **options: Arguments of :class:`glore_seg.layers.PreActNet`.

    Shape:
        - Input: (B, 3, H, W)
        - Output: a tuple of (B, C_i, H_i, W_i), one for each of ``out_indices``

    Raises:
        ConfigError: An argument is unknown or outside its range.
        CheckpointError: The pretrained weights are missing, of another network, or of units that
            compute something else.
    """

    def __init__(
        self,
        arch: str,
        *,
        norm_cfg: dict[str, Any] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        check_merged(
            "GloRePreActNet",
            options,
            (PreActNet,),
            "drop them: backbone=dict(_delete_=True, type='GloRePreActNet', ...)",
        )
        if frozen_stages not in range(-1, 5):
            raise ConfigError(
                f"frozen_stages is {frozen_stages}; expected -1 (none), 0 (the stem), or 1 to 4"
            )
        super().__init__(arch, norm_layer=norm_builder(norm_cfg), **options)
        self.init_cfg = init_cfg
        self._hidden = hidden_options(
            options.get("unit_type", "glore"), options.get("unit_cfg") or {}
        )
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        for module in self._frozen():
            module.requires_grad_(False)

    def init_weights(self) -> None:
        """Load the pretrained weights of ``init_cfg``, if any."""
        cfg = self.init_cfg
        if not isinstance(cfg, dict) or cfg.get("type") != "Pretrained":
            super().init_weights()
            return
        if not cfg.get("checkpoint"):
            raise ConfigError(
                f"model.backbone.init_cfg is {dict(cfg)}; expected a path or URL as checkpoint: "
                "give one, or train from scratch (--cfg-options model.backbone.init_cfg=None)"
            )
        units = {f"conv{n}.{unit}" for n, s in enumerate(self.stages(), 2) for unit in s.units()}
        new, meta = load_pretrained(
            self,
            cfg["checkpoint"],
            prefix=cfg.get("prefix") or "",
            optional=units,
            ignored=("classifier",),
        )
        if units - new:
            check_pretrained_units(cfg["checkpoint"], meta, self._hidden)
        self.is_init = True

    def train(self, mode: bool = True) -> "GloRePreActNet":
        """Set the mode of all that is not frozen."""
        super().train(mode)
        for module in self._frozen():
            module.eval()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def _frozen(self) -> list[nn.Module]:
        return [self.conv1, *self.stages()][: self.frozen_stages + 1]
