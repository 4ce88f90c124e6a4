"""The paper's 3D ResNets as mmaction2's recognizers take them."""

from collections.abc import Mapping, Sequence

from mmengine.registry import MODELS
from torch import Tensor

from glore_seg.checkpoints import compare_state_dicts, inflate, read_state_dict
from glore_seg.errors import ConfigError
from glore_seg.layers import VideoResNet
from glore_seg.layers.extra_units import UnitType


# In the root registry: mmaction2 is optional, and its own registry looks there.
@MODELS.register_module()
class GloReVideoResNet(VideoResNet):
    """3D ResNet with units between its blocks, without the classifier (Section 4.4, Table 5).

    Everything up to and with ``tail.bn`` bears the released names; pooling, dropout and classifier
    are those of ``GloReVideoHead``, whose ``fc_cls`` is the released ``classifier``.

    Args:
        depth: 50 or 101 as in the paper, or 26.
        num_units: Units in conv2 to conv5.
        unit_type: ``"glore"``, ``"nonlocal"`` or ``"nonlocal-pooled"``.
        base_channels: Middle channels of conv2.
        pretrained: File of weights to start from: a 2D network of the same names, which is
            inflated and after which the units are the identity, or a 3D one. Default: from
            scratch.

    Shape:
        - Input: (B, 3, T, H, W)
        - Output: (B, 32 * base_channels, ceil(T / 2), ceil(H / 32), ceil(W / 32))

    Raises:
        ConfigError: An argument is outside its range, or ``pretrained`` holds weights of another
            network.
        ConfigError: ``pretrained`` is not there.
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
        """Initialize everything as released, and load ``pretrained`` where it is given."""
        self.reset_parameters()
        if self.pretrained is None:
            return
        found = _backbone(read_state_dict(self.pretrained))
        wanted = self.state_dict()
        state = inflate(found, wanted)
        comparison = compare_state_dicts(wanted, state)
        missing = [name for name in comparison.missing if "_extra." not in name]
        beyond = [name for name in comparison.unexpected if not name.startswith("classifier.")]
        if missing or beyond or comparison.reshaped:
            faults = "; ".join(comparison.faults())
            raise ConfigError(
                f"{self.pretrained} is of another network than this backbone "
                f"({comparison.summary()}; {faults}). Give weights of the network with this depth "
                "and width, or train from scratch (--cfg-options model.backbone.pretrained=None)"
            )
        self.load_state_dict({name: state[name] for name in comparison.fitting}, strict=False)
        if any(found[name].shape != wanted[name].shape for name in comparison.fitting):
            self.silence_units()


def _backbone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone out of a whole network, or the state as it is."""
    inner = {
        name.removeprefix("backbone."): value
        for name, value in state.items()
        if name.startswith("backbone.")
    }
    return inner or dict(state)
