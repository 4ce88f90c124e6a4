"""Momentum of an FSDP training that goes on.

torch 2.1 has changed the order of the arguments of ``optim_state_dict_to_load``; mmengine gives
them in the old one.
"""

import importlib
import inspect
import re
from typing import Any

import torch

from glore_seg.compat.patch import Patch


def _not_needed() -> str:
    if not torch.distributed.is_available():
        return "this torch has no torch.distributed"
    upstream: Any = importlib.import_module("mmengine._strategy.fsdp")
    first = next(iter(inspect.signature(upstream.FSDP.optim_state_dict_to_load).parameters))
    if first != "model":
        return "this torch takes the arguments in upstream's order"
    written = inspect.getsource(upstream.FSDPStrategy.load_optim_state_dict)
    is_old = re.search(r"optim_state_dict_to_load\(\s*state_dict", written)
    return "" if is_old else "upstream gives them in today's order"


def _apply() -> None:
    upstream: Any = importlib.import_module("mmengine._strategy.fsdp")

    def load_optim_state_dict(self: Any, state_dict: dict) -> None:
        """Loads the optimiser's state of a gathered checkpoint."""
        own = upstream.FSDP.optim_state_dict_to_load(
            model=self.model, optim=self.optim_wrapper.optimizer, optim_state_dict=state_dict
        )
        self.optim_wrapper.load_state_dict(own)

    upstream.FSDPStrategy.load_optim_state_dict = load_optim_state_dict


PATCH = Patch(
    name="FSDP's optimiser",
    reason="resuming with FSDPStrategy on torch 2.1 and later: arguments in another order",
    upstream="mmengine",
    not_needed=_not_needed,
    apply=_apply,
    module="mmengine._strategy.fsdp",
)
