"""A dataset whose samples come whole or with an error that names the file and the mend."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from mmengine.registry import DATASETS
from torch.utils.data import Dataset, IterableDataset

from glore_seg.datasets.sample_faults import path_in, sample_faults


class GuardedDataset(Dataset):
    """A dataset with a length, with errors that :mod:`glore_seg.datasets.sample_faults` explains.

    Everything but these errors is the wrapped dataset's: what hooks and metrics ask it, set on it,
    and take it for.

    Args:
        dataset: The dataset, or its config.
        part: What of the config it is, such as ``"val_dataloader"``.

    Raises:
        SampleError: Later, a sample cannot be had.
    """

    _own: ClassVar[frozenset[str]] = frozenset({"dataset", "_part"})

    def __init__(self, dataset: Any, *, part: str) -> None:
        self.dataset = _built(dataset)
        self._part = f"{part}.dataset.pipeline"

    @property
    def __class__(self) -> type:  # of isinstance()
        return type(self.dataset) if "dataset" in vars(self) else type(self)

    @__class__.setter
    def __class__(self, value: type) -> None:
        raise TypeError(f"the class of {type(self).__name__} cannot be set to {value.__name__}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), vars(self))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int) and not -len(self) <= index < len(self):
            raise IndexError(index)  # ends a loop over the dataset
        with sample_faults(self._part, partial(self._info_of, index)):
            return self.dataset[index]

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        batched = getattr(self.dataset, "__getitems__", None)
        if batched is None:
            return [self[index] for index in indices]
        with sample_faults(self._part, partial(self._info_of, indices[0])):
            return batched(indices)

    def _info_of(self, index: int) -> Mapping[str, Any]:
        """What the dataset knows of a sample, or its number where it doesn't tell."""
        try:
            info = self.dataset.get_data_info(index)
        except Exception:  # a dataset of any kind; the number is good enough
            info = {}
        known = isinstance(info, dict) and path_in(info)
        return info if known else {"filename": f"sample {index}"}

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        if name in self._own or name.startswith("__"):  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own:
            object.__setattr__(self, name, value)
        else:
            setattr(self.dataset, name, value)


def _built(dataset: Any) -> Any:
    return DATASETS.build(dataset) if isinstance(dataset, dict) else dataset


def _restored(kind: type[GuardedDataset], state: Mapping[str, Any]) -> GuardedDataset:
    dataset = object.__new__(kind)
    vars(dataset).update(state)
    return dataset


def guard(dataset: Any, *, part: str) -> Any:
    """Build a dataset, and guard it where samples are asked for by their index.

    Args:
        dataset: A dataset or its config.
        part: What of the config it is, such as ``"val_dataloader"``.
    """
    built = _built(dataset)
    return built if isinstance(built, IterableDataset) else GuardedDataset(built, part=part)


def guarded(loader: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the config of a loader with its dataset guarded.

    Args:
        loader: Stays as it is.
        part: What of the config it is, such as ``"val_dataloader"``.
    """
    return {**loader, "dataset": {"type": guard, "dataset": loader["dataset"], "part": part}}
