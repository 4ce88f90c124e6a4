"""The unit of Section 3 written out from Eq. 1 to 4, one image and one node at a time."""

import torch
from torch import Tensor, nn


def glore_unit(
    params: dict[str, Tensor],
    x: Tensor,
    *,
    training: bool,
    normalize: bool = True,
    act_position: str = "between",
    eps: float = 1e-4,
) -> Tensor:
    """Step by step: x (B, C, *sizes) -> (B, C, *sizes), with BatchNorm as the last norm.

    ``params`` are the unit's state dict. Every linear map is a matrix product on (L, C) rows,
    as the paper writes them, so that nothing of the implementation is shared.
    """
    batch, channels = x.shape[:2]
    num_positions = x[0, 0].numel()
    extended = []
    for b in range(batch):
        rows = x[b].reshape(channels, num_positions).T  # X, (L, C)
        phi = rows @ _matrix(params["conv_state.weight"]).T + params["conv_state.bias"]  # (L, S)
        theta = rows @ _matrix(params["conv_proj.weight"]).T + params["conv_proj.bias"]  # (L, N)
        if normalize:
            phi = phi / num_positions
        # Eq. 1: v_i = sum_j b_ij x_j
        nodes = torch.stack(
            [(theta[:, i, None] * phi).sum(0) for i in range(theta.shape[1])]
        )  # V, (N, S)
        for prefix in ("gcn", "gcn2", "gcn3"):
            if f"{prefix}.conv1.weight" in params:
                nodes = _graph_conv(params, prefix, nodes, act_position)
        if "conv_reproj.weight" in params:
            theta = rows @ _matrix(params["conv_reproj.weight"]).T + params["conv_reproj.bias"]
        # Eq. 4: y_i = sum_j d_ij z_j
        back = sum(theta[:, j, None] * nodes[j] for j in range(nodes.shape[0]))  # (L, S)
        extended.append(back @ _matrix(params["conv_extend.weight"]).T)  # (L, C)
    out = torch.stack(extended)  # (B, L, C)
    if training:
        mean, var = out.mean((0, 1)), out.var((0, 1), unbiased=False)
    else:
        mean, var = params["blocker.running_mean"], params["blocker.running_var"]
    out = (out - mean) / torch.sqrt(var + eps)
    out = out * params["blocker.weight"] + params["blocker.bias"]
    return x + out.transpose(1, 2).reshape(x.shape)


def _graph_conv(params: dict[str, Tensor], prefix: str, nodes: Tensor, act_position: str) -> Tensor:
    """Eq. 2: ((I - A) V) W with the released unit's ReLU; -A and its bias are ``conv1``."""
    adjacency = _matrix(params[f"{prefix}.conv1.weight"])  # (N, N)
    update = _matrix(params[f"{prefix}.conv2.weight"]).T  # W, (S, S)
    spread = (torch.eye(len(adjacency), dtype=nodes.dtype) + adjacency) @ nodes
    spread = spread + params[f"{prefix}.conv1.bias"][:, None]  # (N, S)
    if act_position == "between":
        return nn.functional.relu(spread) @ update
    return nn.functional.relu(spread @ update)


def _matrix(weight: Tensor) -> Tensor:
    """A 1x1 kernel as its matrix, (out, in)."""
    return weight.reshape(weight.shape[0], weight.shape[1])
