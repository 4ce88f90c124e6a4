"""Differences between a checkpoint and the network that is to load it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

_SHOWN = 4


@dataclass(frozen=True)
class Comparison:
    """Names of a checkpoint's parameters against those of a network.

    BatchNorm's ``num_batches_tracked``, which old checkpoints lack and evaluation does not need,
    is ignored.

    Args:
        fitting: In both, of the same shape.
        missing: Only in the network.
        unexpected: Only in the checkpoint.
        reshaped: In both with different shapes, name to (in the checkpoint, in the network).
    """

    fitting: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    reshaped: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]

    def summary(self) -> str:
        """Return how many of the network's parameters fit."""
        wanted = len(self.fitting) + len(self.missing) + len(self.reshaped)
        return f"{len(self.fitting)} of {wanted} parameters fit"

    def differences(self) -> list[str]:
        """Return one line per kind of difference, with its number and names."""
        reshaped = [f"{k} {found}, needed {own}" for k, (found, own) in self.reshaped.items()]
        kinds: dict[str, Collection[str]] = {
            "missing": self.missing,
            "of another shape": reshaped,
            "not in the model": self.unexpected,
        }
        return [f"{len(names)} {what}: {some(names)}" for what, names in kinds.items() if names]

    def __str__(self) -> str:
        return "; ".join([self.summary(), *self.differences()])


def compare_state_dicts(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> Comparison:
    """Compare a checkpoint with a network, by names and shapes.

    Args:
        wanted: State dict of the network.
        found: State dict of the checkpoint.
    """
    own = {k: tuple(v.shape) for k, v in wanted.items() if not k.endswith("num_batches_tracked")}
    its = {k: tuple(v.shape) for k, v in found.items() if not k.endswith("num_batches_tracked")}
    return Comparison(
        fitting=tuple(k for k in own if its.get(k) == own[k]),
        missing=tuple(k for k in own if k not in its),
        unexpected=tuple(k for k in its if k not in own),
        reshaped={k: (its[k], own[k]) for k in own if k in its and its[k] != own[k]},
    )


def some(names: Collection[str]) -> str:
    """Join the first few names and the number of the others."""
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(list(names)[:_SHOWN]) + rest
