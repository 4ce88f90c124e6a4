"""Files in the folders of a dataset that it leaves out without a word: images of other suffixes."""

import os.path as osp
from collections import Counter
from typing import Any

import mmengine.fileio as fileio
from mmseg.datasets import BaseSegDataset

from glore_seg.datasets.label_statistics import wrapped_datasets
from glore_seg.utils.image_io import IMAGE_SUFFIXES


def describe_left_out(dataset: Any) -> list[str]:
    """Say which label maps have no image in a dataset, and which images without labels it omits.

    ``dataset`` is one of mmseg or wraps such; all that read one folder count together. Those that
    choose images (``ann_file``, ``indices``) and remote folders are passed over.
    """
    folders: dict[tuple[str, str], list[BaseSegDataset]] = {}
    for part in wrapped_datasets(dataset):
        if isinstance(part, BaseSegDataset) and not part.ann_file and part._indices is None:
            images, labels = (
                part.data_prefix.get(key) or "" for key in ("img_path", "seg_map_path")
            )
            if osp.isdir(images) and _has_files(part):
                folders.setdefault((images, labels if osp.isdir(labels) else ""), []).append(part)
    texts = (_describe(*pair, parts) for pair, parts in folders.items())
    return [text for text in texts if text]


def _has_files(part: BaseSegDataset) -> bool:
    """Whether a sample is an image file, and not an array or a list of frames."""
    return len(part) > 0 and isinstance(part.get_data_info(0).get("img_path"), str)


def _describe(images: str, labels: str, parts: list[BaseSegDataset]) -> str:
    listed, labeled, label_files = set(), set(), set()
    way = osp.relpath(osp.realpath(labels), osp.realpath(images)) if labels else ""
    for part in parts:
        paths = (part.get_data_info(index)["img_path"] for index in range(len(part)))
        listed |= {osp.relpath(path, images).removesuffix(part.img_suffix) for path in paths}
        names = _files(labels, part.seg_map_suffix) if labels else []
        labeled |= {name.removesuffix(part.seg_map_suffix) for name in names}
        label_files |= {osp.normpath(osp.join(way, name)) for name in names}  # seen from images
    alone = labeled - listed
    base = parts[0].img_suffix.rpartition(".")[0]  # "_leftImg8bit" of Cityscapes, often nothing
    others = []  # suffixes of the images that are left out
    for name in _files(images):
        stem, suffix = osp.splitext(name)
        stem = stem.removesuffix(base)
        is_left_out = stem in alone if labels else stem not in listed
        if is_left_out and suffix.lower() in IMAGE_SUFFIXES and name not in label_files:
            others.append(suffix)
    counts = ", ".join(f"{number} *{suffix}" for suffix, number in sorted(Counter(others).items()))
    wanted = " or ".join(f"*{part.img_suffix}" for part in parts)
    missing = f"{len(alone)} of {len(labeled)} label maps in {labels} have no image {wanted}"
    if others:
        text = (
            f"images of other suffixes in {images} are left out ({counts}): convert them, or add "
        )
        return f"{f'{missing}; ' if alone else ''}{text}a dataset with their img_suffix"
    return f"{missing} in {images}, such as {min(alone)}: in another split?" if alone else ""


def _files(folder: str, suffix: str | None = None) -> list[str]:
    """Names below a folder, without hidden ones."""
    return list(fileio.list_dir_or_file(folder, list_dir=False, suffix=suffix, recursive=True))
