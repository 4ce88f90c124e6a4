"""What a dataset cannot find, as one line that names the folder and the mend."""

from __future__ import annotations

import os
from collections.abc import Iterator
from traceback import walk_tb
from typing import Any

from mmengine.dataset import BaseDataset


def explain_data_error(error: BaseException | None) -> str | None:
    """Explain why a dataset of a host cannot list its samples.

    Args:
        error: With its traceback.

    Returns:
        One line; None where a dataset had no part in it, or it is another error.
    """
    while error is not None:
        for dataset, function in _datasets_at_work(error):
            if isinstance(error, FileNotFoundError) and error.filename is not None:
                return (
                    f"{type(dataset).__name__} finds no {error.filename} (from {os.getcwd()}); "
                    "expected the folders and lists that its config names: correct data_root, "
                    "data_prefix or ann_file in the config, or prepare the data as data/README.md "
                    "says"
                )
            if function == "_serialize_data" and not dataset.data_list:
                return text_of_empty(dataset)
        error = error.__cause__ or error.__context__  # registries raise what they catch anew
    return None


def text_of_empty(dataset: Any) -> str:
    """Say that a dataset has no samples, and what picks them."""
    kind, suffix = type(dataset).__name__, getattr(dataset, "img_suffix", None)
    if getattr(dataset, "ann_file", None):
        return f"{kind} has no samples: ann_file {dataset.ann_file} names none; give another"
    if suffix is None:
        return f"{kind} has no samples: correct data_root, data_prefix or ann_file in the config"
    return (
        f"{kind}: no image *{suffix} in {dataset.data_prefix.get('img_path')} or below; expected "
        f"NAME{suffix}: correct data_root, data_prefix or img_suffix in the config"
    )


def _datasets_at_work(error: BaseException) -> Iterator[tuple[BaseDataset, str]]:
    for frame, _ in walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if isinstance(owner, BaseDataset):
            yield owner, frame.f_code.co_name
