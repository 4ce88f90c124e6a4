"""mmengine's message hub without a wait for the device in each iteration.

Upstream reads every logged tensor by ``.item()`` at once, so the host waits for the device as often
in each iteration as there are losses. Here tensors are kept on the device until somebody asks for
them: the logger at its interval, or a checkpoint.
"""

from typing import Any

import torch
from mmengine.logging import MessageHub

from glore_seg.compat.patch import Patch

_MAX_PENDING = 1000  # values of a key; without a logger nobody asks

_update_scalar = MessageHub.update_scalar
_get_scalar = MessageHub.get_scalar
_state_dict = MessageHub.state_dict


def _pending(hub: MessageHub) -> dict[str, list[tuple[Any, ...]]]:
    return vars(hub).setdefault("_pending_scalars", {})


def _flush(hub: MessageHub, key: str) -> None:
    for value, *rest in _pending(hub).pop(key, ()):
        _update_scalar(hub, key, value, *rest)


def _flush_all(hub: MessageHub) -> None:
    for key in list(_pending(hub)):
        _flush(hub, key)


def _apply() -> None:
    def update_scalar(
        self: MessageHub, key: str, value: Any, count: int = 1, resumed: bool = True
    ) -> None:
        # the first value of a key is upstream's, which keeps the order of the keys
        if isinstance(value, torch.Tensor) and key in self._log_scalars:
            values = _pending(self).setdefault(key, [])
            values.append((value.detach().clone(), count, resumed))
            if len(values) < _MAX_PENDING:
                return
            _flush(self, key)
        else:
            _flush(self, key)
            _update_scalar(self, key, value, count, resumed)

    def get_scalar(self: MessageHub, key: str) -> Any:
        _flush(self, key)
        if key in self._log_scalars:
            return self._log_scalars[key]
        return _get_scalar(self, key)  # raises

    def log_scalars(self: MessageHub) -> Any:
        _flush_all(self)
        return self._log_scalars

    def state_dict(self: MessageHub) -> dict:
        _flush_all(self)
        return _state_dict(self)

    MessageHub.update_scalar = update_scalar
    MessageHub.get_scalar = get_scalar
    MessageHub.log_scalars = property(log_scalars)
    MessageHub.state_dict = state_dict


PATCH = Patch(
    name="message hub",
    reason="the host waits for the device in each iteration, once for each loss",
    upstream="mmengine",
    not_needed=lambda: "",
    apply=_apply,
)
