"""The paper's 3D ResNets as backbones of mmaction2's recognizers."""

from collections.abc import Sequence

from mmengine.registry import MODELS

from glore_seg.checkpoints import compare_state_dicts, inflate, read_state_dict, strip_prefix
from glore_seg.errors import CheckpointError
from glore_seg.layers import VideoResNet
from glore_seg.layers.extra_units import UnitType


# In the root registry, in which mmaction2's also looks, because mmaction2 is optional.
@MODELS.register_module()
class GloReVideoResNet(VideoResNet):
    """3D ResNet with units between its blocks, without the classifier (Section 4.4, Table 5).

    Parameters up to ``tail.bn`` have the released names; pooling, dropout and classifier are in
    ``GloReVideoHead``, whose ``fc_cls`` is the released ``classifier``.

    Args:
        depth: 50 or 101 as in the paper, or 26.
        num_units: Units in conv2 to conv5.
        unit_type: ``"glore"``, ``"nonlocal"`` or ``"nonlocal-pooled"``.
        base_channels: Middle channels of conv2.
        pretrained: Path of initial weights: of a 2D network with the same names, which is
            inflated and whose units become the identity, or of a 3D one. Default: none.

    Shape:
        - Input: (B, 3, T, H, W)
        - Output: (B, 32 * base_channels, ceil(T / 2), ceil(H / 32), ceil(W / 32))

    Raises:
        ConfigError: An argument is outside its range.
        CheckpointError: ``pretrained`` is missing, or of another network.
    """

    def __init__(
        self,
        depth: int = 50,
        *,
        num_units: Sequence[int] = (0, 2, 3, 0),
        unit_type: UnitType = "glore",
        base_channels: int = 64,
        pretrained: str | None = None,
    ) -> None:
        super().__init__(
            depth,
            num_classes=None,
            num_units=num_units,
            unit_type=unit_type,
            base_channels=base_channels,
        )
        self.pretrained = pretrained

    def init_weights(self) -> None:
        """Initialize as released, and load ``pretrained``, if any."""
        self.reset_parameters()
        if self.pretrained is None:
            return
        found = strip_prefix(read_state_dict(self.pretrained), "backbone.")
        wanted = self.state_dict()
        state = inflate(found, wanted)
        state = {k: v for k, v in state.items() if not k.startswith("classifier.")}
        comparison = compare_state_dicts(wanted, state)
        units = tuple(f"{name}." for name in self.units())
        missing = [name for name in comparison.missing if not name.startswith(units)]
        if missing or comparison.unexpected or comparison.reshaped:
            raise CheckpointError(
                f"{self.pretrained} does not fit this backbone: {comparison}. Give weights of the "
                "network with this depth and width, or train from scratch (--cfg-options "
                "model.backbone.pretrained=None)"
            )
        self.load_state_dict(state, strict=False)
        if any(found[name].shape != wanted[name].shape for name in comparison.fitting):
            self.silence_units()
