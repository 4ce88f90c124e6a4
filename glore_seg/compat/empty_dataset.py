"""A dataset without samples, often since ``img_suffix`` is another, ``.jpg`` for ``.JPG``."""

import functools
import os
from collections import Counter
from typing import Any

from mmengine.dataset import BaseDataset

from glore_seg.compat.patch import Patch
from glore_seg.errors import DataError


def _apply() -> None:
    serialize = BaseDataset._serialize_data

    @functools.wraps(serialize)
    def serialize_samples(self: BaseDataset) -> Any:
        if not self.data_list:
            raise DataError(describe_empty(self))
        return serialize(self)

    BaseDataset._serialize_data = serialize_samples


def describe_empty(dataset: Any) -> str:
    """Say that a dataset has no samples, which files its folder of images holds, and the fix."""
    text = f"{type(dataset).__name__} has no samples; expected at least one: correct data_root, "
    text += "data_prefix, img_suffix or ann_file in the config"
    folder = (getattr(dataset, "data_prefix", None) or {}).get("img_path")
    if not folder or not hasattr(dataset, "img_suffix"):
        return text
    suffixes = (os.path.splitext(name)[1] for _, _, names in os.walk(folder) for name in names)
    found = (f"{number} *{suffix}" for suffix, number in Counter(suffixes).most_common(3))
    files = ", ".join(found) or "no file"
    return f"{text}. img_suffix is {dataset.img_suffix!r}, {folder} holds {files}"


PATCH = Patch(
    name="empty dataset",
    reason="need at least one array to concatenate",
    upstream="mmengine",
    not_needed=lambda: "",
    apply=_apply,
)
