"""Momentum of an FSDP training that goes on.

torch 2.1 has changed the order of the arguments of ``optim_state_dict_to_load``; mmengine gives
them in the old one.
"""

import importlib
import inspect
import re
from typing import Any

import torch

from glore_seg.compat.mend import Mend


def _not_needed() -> str:
    if not torch.distributed.is_available():
        return "this torch has no torch.distributed"
    host: Any = importlib.import_module("mmengine._strategy.fsdp")
    first = next(iter(inspect.signature(host.FSDP.optim_state_dict_to_load).parameters))
    if first != "model":
        return "this torch takes the arguments in the host's order"
    written = inspect.getsource(host.FSDPStrategy.load_optim_state_dict)
    is_old = re.search(r"optim_state_dict_to_load\(\s*state_dict", written)
    return "" if is_old else "the host gives them in today's order"


def _apply() -> None:
    host: Any = importlib.import_module("mmengine._strategy.fsdp")

    def load_optim_state_dict(self: Any, state_dict: dict) -> None:
        """Loads the optimiser's state of a gathered checkpoint."""
        own = host.FSDP.optim_state_dict_to_load(
            model=self.model, optim=self.optim_wrapper.optimizer, optim_state_dict=state_dict
        )
        self.optim_wrapper.load_state_dict(own)

    host.FSDPStrategy.load_optim_state_dict = load_optim_state_dict


MEND = Mend(
    name="FSDP's optimiser",
    reason="resuming with FSDPStrategy on torch 2.1 and later: arguments in another order",
    host="mmengine",
    not_needed=_not_needed,
    apply=_apply,
)
