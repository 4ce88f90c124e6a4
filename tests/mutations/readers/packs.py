"""The reader of packed datasets: index, file of pixels, and both against the originals."""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from glore_seg.datasets.packed import attach_pack, pack_dataset, read_packed, verify_pack
from tests.mutations.readers.images import encoded
from tests.mutations.rule import Files, Nonsense, Reader
from tests.mutations.strategies import spoiled_bytes, spoiled_json

_NAMES = ("a_000000_000000", "a_000001_000000")
_SHAPES = ((6, 10), (10, 6))
_TIME = 1_600_000_000 * 10**9  # ns, of all originals


@cache
def _whole() -> dict[str, bytes]:
    """A dataset of two images and its pack."""
    rng = np.random.default_rng(0)
    files: dict[str, bytes] = {}
    for name, shape in zip(_NAMES, _SHAPES, strict=True):
        image = rng.integers(0, 256, (*shape, 3), np.uint8)
        files[f"leftImg8bit/train/a/{name}_leftImg8bit.png"] = encoded(image)
        label = rng.integers(0, 19, shape, np.uint8)
        files[f"gtFine/train/a/{name}_gtFine_labelTrainIds.png"] = encoded(label)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _put(root, files)
        pack_dataset(root, root / "pack", progress=False)
        for file in ("pack.json", "pixels.u8"):
            files[f"pack/{file}"] = (root / "pack" / file).read_bytes()
    return files


def _put(root: Path, files: Files) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    _set_times(root)


def _set_times(root: Path) -> None:
    for file in root.rglob("*.png"):
        os.utime(file, ns=(_TIME, _TIME))


@cache
def _pixels() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What the pack must give, by the image's name."""
    with tempfile.TemporaryDirectory() as folder:
        _put(Path(folder), _whole())
        return {
            item["img_path"].split("/")[-1]: tuple(map(np.array, read_packed(item["packed"])))
            for item in _attached(Path(folder))
        }


def _attached(root: Path) -> list[dict[str, Any]]:
    items = [
        {
            "img_path": str(root / f"leftImg8bit/train/a/{name}_leftImg8bit.png"),
            "seg_map_path": str(root / f"gtFine/train/a/{name}_gtFine_labelTrainIds.png"),
        }
        for name in _NAMES
    ]
    attach_pack(items, root / "pack", str(root))
    return items


def _read(folder: Path) -> None:
    _set_times(folder)
    found = {
        item["img_path"].split("/")[-1]: read_packed(item["packed"]) for item in _attached(folder)
    }
    whole = (folder / "pack/pixels.u8").read_bytes() == _whole()["pack/pixels.u8"]
    if not whole and verify_pack(folder / "pack", progress=False):
        return  # which says so; the index tells by itself that it is as it was written
    for name, wanted in _pixels().items():
        for one, other in zip(wanted, found[name], strict=True):
            if one.shape != other.shape or (one != other).any():
                raise Nonsense(f"{name} has other pixels than its file, and nothing says so")


def _go_on(folder: Path) -> None:
    """A second packing over what is there: it repairs what it can, or names what is wrong."""
    _set_times(folder)
    pack_dataset(folder, folder / "pack", progress=False)
    _read(folder)


def _inputs() -> st.SearchStrategy[Files]:
    whole = _whole()
    index = spoiled_json(json.loads(whole["pack/pack.json"]))
    pixels = spoiled_bytes([whole["pack/pixels.u8"]], most=2)
    return st.one_of(
        index.map(lambda content: {**whole, "pack/pack.json": content}),
        index.map(lambda content: {**whole, "pack/pack.json": content}),
        pixels.map(lambda content: {**whole, "pack/pixels.u8": content}),
    )


READERS = (
    Reader("packed dataset", _inputs, _read, words=("pack", "pixels.u8"), share=2),
    Reader("packed dataset, packed again", _inputs, _go_on, words=("pack", "pixels.u8")),
)
