"""``launcher='pytorch'`` on a machine without an accelerator.

mmengine selects a CUDA device before it starts the process group, and hands DDP the number of a
GPU. The first is patched here. The second stands in the config, which on CPU needs::

    env_cfg = dict(dist_cfg=dict(backend="gloo"))
    model_wrapper_cfg = dict(
        type="MMDistributedDataParallel", device_ids=None, broadcast_buffers=False)

and ``CPUSyncBN`` (or ``BN``) in place of ``SyncBN``. Then
``python -m torch.distributed.run --nproc_per_node 2`` runs a script whose Runner has
``launcher='pytorch'``.
"""

import importlib
from typing import Any

import torch

from glore_seg.compat.patch import Patch


def _not_needed() -> str:
    device = importlib.import_module("mmengine.device").get_device()
    # mps belongs to one process; Apple's machines spread over processes on the CPU alone.
    if torch.cuda.is_available() or device not in ("cpu", "mps"):
        return f"an accelerator is present: {device}"
    if not torch.distributed.is_available():
        return "this torch has no torch.distributed"
    return ""


def _apply() -> None:
    upstream: Any = importlib.import_module("mmengine.dist.utils")
    original = upstream._init_dist_pytorch

    def init_dist_pytorch(backend: str, init_backend: str = "torch", **kwargs: Any) -> None:
        """Starts the process group; no device is selected, for there is none."""
        if init_backend != "torch":
            original(backend, init_backend=init_backend, **kwargs)
            return
        if backend == "nccl":
            raise ValueError(
                "backend 'nccl' needs GPUs and there are none; expected "
                "env_cfg=dict(dist_cfg=dict(backend='gloo'))"
            )
        torch.distributed.init_process_group(backend=backend, **kwargs)

    upstream._init_dist_pytorch = init_dist_pytorch


PATCH = Patch(
    name="distributed on CPU",
    reason="launcher='pytorch' without a GPU: torch._C has no attribute '_cuda_setDevice', or "
    "Found no NVIDIA driver",
    upstream="mmengine",
    not_needed=_not_needed,
    apply=_apply,
)
