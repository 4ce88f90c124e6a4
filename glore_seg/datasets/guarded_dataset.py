"""A data set whose samples come whole or with an error that names the file and the mend."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mmengine.registry import DATASETS
from torch.utils.data import Dataset

from glore_seg.datasets.sample_faults import path_in, sample_faults


class GuardedDataset(Dataset):
    """Any data set, with errors that :mod:`glore_seg.datasets.sample_faults` explains.

    Everything but these errors is the wrapped data set's.

    Args:
        dataset: Any data set with a length, or its config.
        part: What of the config it is, such as ``"val_dataloader"``.

    Raises:
        SampleError: Later, a sample cannot be had.
    """

    def __init__(self, dataset: Any, *, part: str) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self._part = f"{part}.dataset.pipeline"

    def __getitem__(self, index: Any) -> Any:
        with sample_faults(self._part, partial(self._info_of, index)):
            return self.dataset[index]

    def _info_of(self, index: int) -> Mapping[str, Any]:
        """What the data set knows of a sample, or its number where it doesn't tell."""
        try:
            info = self.dataset.get_data_info(index)
        except Exception:  # a data set of any kind; the number is good enough
            info = {}
        known = isinstance(info, dict) and path_in(info)
        return info if known else {"filename": f"sample {index}"}

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        if name == "dataset" or name.startswith("__"):  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)


def guarded(loader: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the config of a loader with its data set guarded.

    Args:
        loader: Stays as it is.
        part: What of the config it is, such as ``"val_dataloader"``.
    """
    dataset = {"type": GuardedDataset, "dataset": loader["dataset"], "part": part}
    return {**loader, "dataset": dataset}
