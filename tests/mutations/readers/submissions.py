"""The checker of submissions: zips, folders and the images in them."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from glore_seg.evaluation.submission import check_submission
from glore_seg.evaluation.submission.image import check_image
from tests.evaluation.submission.conftest import (
    KEYS,
    LABEL_IDS,
    SIZE,
    encode,
    expected,
    good_files,
)
from tests.mutations.readers.images import images
from tests.mutations.rule import Files, Nonsense, Reader
from tests.mutations.strategies import spoiled_bytes
from tests.png_headers import declared

_NAMES = (
    *("../canary", "/tmp/canary", "..\\canary", "C:\\canary", "a/../../canary", "", "/", "."),
    *("berlin_000000_000019.png", "BERLIN_000000_000019.PNG", "x/berlin_000000_000019.png"),
    *("\u202egnp.a", "a\x1b[2J.png", "a" * 300 + ".png", "a.zip", "__MACOSX/._a.png", "nul.png"),
)
_BOMB = b"\0" * (9 << 20)


@st.composite
def _zips(draw: Any) -> Files:
    """A submission with files added, exchanged, compressed, linked, and then spoiled."""
    files = [*good_files().items()]
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from((*_NAMES, *(name for name, _ in files))))
        content = draw(st.sampled_from((b"", encode(LABEL_IDS), b"text", *images()[:6])))
        if draw(st.booleans()):
            files.append((name, content))
        elif files:
            files[draw(st.integers(0, len(files) - 1))] = (name, content)
    if draw(st.integers(0, 15)) == 0:
        files.append((f"{KEYS[0]}.png", _BOMB))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name or "x")
            info.filename = name
            kinds = (stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR, 0)
            info.external_attr = (draw(st.sampled_from(kinds)) | 0o644) << 16
            methods = (
                zipfile.ZIP_STORED,
                zipfile.ZIP_DEFLATED,
                zipfile.ZIP_LZMA,
                zipfile.ZIP_BZIP2,
            )
            archive.writestr(info, content, draw(st.sampled_from(methods)))
    whole = file.getvalue()
    return {"results.zip": draw(spoiled_bytes([whole])) if draw(st.booleans()) else whole}


def _check(folder: Path) -> None:
    seen: dict[str, np.ndarray] = {}
    path = folder / "results.zip"
    report = check_submission(path, expected(), on_image=seen.__setitem__, progress=False)
    lines = report.lines()
    if not all(line.isprintable() for line in lines):
        raise Nonsense("a line that a terminal would act upon")
    for key, label_ids in seen.items():
        if label_ids.shape != (SIZE[1], SIZE[0]) or label_ids.max() > 33 or key not in KEYS:
            raise Nonsense(f"{key}: {label_ids.shape}, {np.unique(label_ids)}")
    if not report.errors and set(seen) != set(KEYS):
        raise Nonsense(f"no error with {sorted(seen)} alone")
    if [p.name for p in folder.iterdir()] != ["results.zip"]:
        raise Nonsense("the zip was unpacked")


def _check_one(folder: Path) -> None:
    label_ids, errors, _ = check_image("a.png", (folder / "a.png").read_bytes(), SIZE)
    if (label_ids is None) != bool(errors):
        raise Nonsense(f"{errors} and label ids")
    if label_ids is not None and label_ids.shape != (SIZE[1], SIZE[0]):
        raise Nonsense(f"label ids of shape {label_ids.shape}")


def _images() -> st.SearchStrategy[Files]:
    whole = encode(LABEL_IDS)
    wholes = (whole, *images(), declared(whole, 60_000, 60_000), declared(whole, 16, 9))
    return st.one_of(st.sampled_from(wholes), spoiled_bytes(wholes)).map(lambda c: {"a.png": c})


READERS = (
    Reader("zip of a submission", _zips, _check, share=2),
    Reader("image of a submission", _images, _check_one),
)
