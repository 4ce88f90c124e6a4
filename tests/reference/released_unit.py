"""The unit as the authors run it: every step a module or a product on maps over all positions."""

import torch
from torch import Tensor, nn

CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


class ReleasedUnit(nn.Module):
    """Fig. 2 with the released parameter names, so that a state dict fits both this and ours.

    Input and output: (B, C, *sizes).
    """

    def __init__(self, channels, nodes, states, *, ndim=2, normalize=True):
        super().__init__()
        self.normalize = normalize
        self.conv_state = CONVS[ndim](channels, states, 1)
        self.conv_proj = CONVS[ndim](channels, nodes, 1)
        self.gcn = ReleasedGraphConv(nodes, states)
        self.conv_extend = CONVS[ndim](states, channels, 1, bias=False)
        self.blocker = NORMS[ndim](channels, eps=1e-4)
        nn.init.zeros_(self.blocker.weight)

    def forward(self, x: Tensor) -> Tensor:
        state = self.conv_state(x)
        proj = self.conv_proj(x).flatten(2)  # (B, N, L)
        sizes = state.shape[2:]
        state = state.flatten(2)  # (B, S, L)
        nodes = torch.matmul(state, proj.transpose(1, 2))  # Eq. 1, (B, S, N)
        if self.normalize:
            nodes = nodes * (1 / state.shape[2])
        nodes = self.gcn(nodes)  # Eq. 2
        back = torch.matmul(nodes, proj).unflatten(2, sizes)  # Eq. 4, (B, S, *sizes)
        return x + self.blocker(self.conv_extend(back))


class ReleasedGraphConv(nn.Module):
    def __init__(self, nodes, states):
        super().__init__()
        self.conv1 = nn.Conv1d(nodes, nodes, 1)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv1d(states, states, 1, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        spread = self.conv1(states.transpose(1, 2).contiguous()).transpose(1, 2)
        return self.conv2(self.relu(spread + states))
