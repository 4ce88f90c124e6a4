"""Graph convolution over a fully connected graph, Section 3.3 of https://arxiv.org/abs/1811.12814.

Shape legend: B batch, N nodes, S states (features of a node).
"""

from typing import Literal, get_args

from torch import Tensor, nn

from glore_seg.layers.arguments import check_choice, check_count

ActPosition = Literal["between", "after"]


class GraphConv(nn.Module):
    """One graph convolution, Eq. 2: ``Z = ((I - A_g) V) W_g``.

    Two 1D convolutions (Fig. 3b) under the released names: ``conv1`` over the nodes learns
    ``-A_g`` and has a bias, the identity is a shortcut; ``conv2`` over the states has no bias.

    Args:
        num_nodes: Number of graph nodes N, at least 1.
        num_states: Features per node S, at least 1.
        act_position: Position of the ReLU: ``"between"`` the two convolutions as in the authors'
            released code, or ``"after"`` both as in PaddleSeg.

    Shape:
        - Input: (B, S, N)
        - Output: (B, S, N)

    Raises:
        ConfigError: ``num_nodes`` or ``num_states`` is below 1, or ``act_position`` is unknown.

    Example:
        >>> import torch
        >>> GraphConv(num_nodes=64, num_states=128)(torch.rand(2, 128, 64)).shape
        torch.Size([2, 128, 64])
    """

    def __init__(
        self, num_nodes: int, num_states: int, *, act_position: ActPosition = "between"
    ) -> None:
        super().__init__()
        check_count("num_nodes", num_nodes, at_least=1)
        check_count("num_states", num_states, at_least=1)
        check_choice("act_position", act_position, get_args(ActPosition))
        self.act_position = act_position
        self.conv1 = nn.Conv1d(num_nodes, num_nodes, kernel_size=1)
        self.conv2 = nn.Conv1d(num_states, num_states, kernel_size=1, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, v: Tensor) -> Tensor:
        """Propagate over the nodes, then update their states."""
        v = v + self.conv1(v.mT).mT  # (I - A_g) V, (B, S, N)
        if self.act_position == "between":
            return self.conv2(self.relu(v))  # times W_g, (B, S, N)
        return self.relu(self.conv2(v))

    def extra_repr(self) -> str:
        """What ``print`` shows besides the convolutions."""
        return f"act_position={self.act_position!r}"
