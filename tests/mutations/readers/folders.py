"""Readers of datasets, of submissions, and of what an interrupted command left."""

import io
import json
import os
import stat
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np

from glore_seg.apis.inference import OutputFolder
from glore_seg.datasets.cityscapes import draw_train_ids
from glore_seg.datasets.kinetics import convert_kinetics
from glore_seg.datasets.packed import attach_pack, pack_dataset, read_packed, verify_pack
from glore_seg.evaluation.submission import SubmissionWriter, check_submission
from tests.evaluation.submission.conftest import KEYS, LABEL_IDS, SIZE, encode, expected, good_files
from tests.mutations.mutate import Files, mutate_bytes, one_of
from tests.mutations.readers.images import SIZE as DRAWN
from tests.mutations.readers.images import check_classes, encoded, images
from tests.mutations.rule import Reader, expect

_SHAPES = {"a_000000_000000": (6, 10), "a_000001_000000": (10, 6)}


@cache
def _pack() -> list[Files]:
    """A dataset of two images and its pack."""
    rng, files = np.random.default_rng(0), {}
    for name, shape in _SHAPES.items():
        for path, size, most in (
            (f"leftImg8bit/train/a/{name}_leftImg8bit.png", (*shape, 3), 256),
            (f"gtFine/train/a/{name}_gtFine_labelTrainIds.png", shape, 19),
        ):
            files[path] = encoded(rng.integers(0, most, size, np.uint8))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        _set_times(root)
        pack_dataset(root, root / "pack", progress=False)
        for file in ("pack.json", "pixels.u8"):
            files[f"pack/{file}"] = (root / "pack" / file).read_bytes()
    return [files]


def _set_times(root: Path) -> None:
    for file in root.rglob("*.png"):
        os.utime(file, ns=(1_600_000_000 * 10**9,) * 2)


def _read_pack(folder: Path) -> None:
    """Pixels are those of the files, or something says that they are not."""
    _set_times(folder)
    items = [
        {
            "img_path": str(folder / f"leftImg8bit/train/a/{name}_leftImg8bit.png"),
            "seg_map_path": str(folder / f"gtFine/train/a/{name}_gtFine_labelTrainIds.png"),
        }
        for name in _SHAPES
    ]
    attach_pack(items, folder / "pack", str(folder))
    found = [read_packed(item["packed"]) for item in items]
    if verify_pack(folder / "pack", progress=False):
        return
    for item, (image, label) in zip(items, found, strict=True):
        wanted = cv2.imread(item["img_path"]), cv2.imread(item["seg_map_path"], -1)
        expect(
            all(map(np.array_equal, wanted, (image, label))),
            "other pixels in the pack than in",
            item["img_path"],
        )


def _resume_packing(folder: Path) -> None:
    """A second packing over what is there: it repairs what it can, or names what is wrong."""
    _set_times(folder)
    pack_dataset(folder, folder / "pack", progress=False)
    _read_pack(folder)


_NAMES = (
    *("../canary", "/tmp/canary", "..\\canary", "C:\\canary", "a/../../canary", "", "/", "."),
    *("berlin_000000_000019.png", "BERLIN_000000_000019.PNG", "x/berlin_000000_000019.png"),
    *("\u202egnp.a", "a\x1b[2J.png", "a" * 300 + ".png", "a.zip", "__MACOSX/._a.png", "nul.png"),
)


def _draw_zip(rng: Random) -> Files:
    """A submission with files added, exchanged, compressed, linked, and then mutated."""
    files = [*good_files().items()]
    for _ in range(rng.randint(0, 3)):
        name = rng.choice((*_NAMES, *(name for name, _ in files)))
        content = rng.choice((b"", encode(LABEL_IDS), b"text", *images()[:6]))
        at = rng.randrange(len(files))
        files[at : at + rng.randrange(2)] = [(name, content)]
    if rng.random() < 0.06:
        files.append((f"{KEYS[0]}.png", bytes(9 << 20)))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name or "x")
            info.filename = name
            kind = rng.choice((stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, 0))
            info.external_attr = (kind | 0o644) << 16
            archive.writestr(info, content, rng.choice((0, 8, 12, 14)))  # methods of compression
    whole = file.getvalue()
    return {"results.zip": mutate_bytes(rng, whole) if rng.random() < 0.5 else whole}


def _check_submission(folder: Path) -> None:
    seen: dict[str, np.ndarray] = {}
    path = folder / "results.zip"
    report = check_submission(path, expected(), on_image=seen.__setitem__, progress=False)
    expect(all(line.isprintable() for line in report.lines()), report.lines())
    for key, label_ids in seen.items():
        expect(
            label_ids.shape == SIZE[::-1] and label_ids.max() <= 33 and key in KEYS, key, label_ids
        )
    expect(report.errors or set(seen) == set(KEYS), "no error with", *seen)
    expect([p.name for p in folder.iterdir()] == ["results.zip"], "the zip was unpacked")


_POLYGONS = {
    **{"imgHeight": DRAWN[0], "imgWidth": DRAWN[1]},
    "objects": [
        {"label": "road", "polygon": [[0, 0], [10, 0], [10, 10]]},
        {"label": "cargroup", "polygon": [[3, 3], [9, 3], [9, 9], [3, 9]]},
    ],
}
_CSV = (
    "label,youtube_id,time_start,time_end,split\n"
    'abseiling,"0wR5jVB-WPk",417,427,train\nair drumming,-CjX1,9,19,train\n'
)


def _draw_polygons(folder: Path) -> None:
    draw_train_ids(folder / "a_gtFine_polygons.json")
    found = cv2.imread(str(folder / "a_gtFine_labelTrainIds.png"), cv2.IMREAD_UNCHANGED)
    check_classes(found, found.shape[:2])


def _read_csv(folder: Path) -> None:
    out = folder / "out"
    report = convert_kinetics([folder / "train.csv"], folder / "videos", out, progress=False)
    expect(not any(report.listed.values()), report.listed, "though no video is one")
    expect(len(set(report.classes)) == len(report.classes), report.classes)
    expect({file.parent for file in report.files} == {out}, report.files)


_SETTINGS = {"source": "ab12", "ids": "train", "opacity": 0.5}
_MANIFEST = {"checkpoint": "ab12", "threads": "1"}
_DONE = {"name": "a", "file": ["/x/a.png", 3, 4], "labels": True, "shares": [0.25, 0.75]}


def _files(name: str, *lines: object) -> Any:
    content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    return one_of(lambda: [{f"out/{name}": content}])


def _resume_predictions(folder: Path) -> None:
    done = OutputFolder(folder / "out", _SETTINGS, classes=["road", "sky"])
    done.todo([])
    done.write_shares()


def _resume_submission(folder: Path) -> None:
    writer = SubmissionWriter(folder / "out", expected(), _MANIFEST)
    writer.begin()
    expect(json.loads((folder / "out/submission.json").read_text()) == _MANIFEST, "other settings")


_ONE_OF_PACK = one_of(_pack, "pack/pack.json", "pack/pack.json", "pack/pixels.u8")
READERS = (
    Reader("packed dataset", _ONE_OF_PACK, _read_pack, words=("pack", "pixels.u8")),
    Reader("dataset packed again", _ONE_OF_PACK, _resume_packing, words=("pack", "pixels.u8")),
    Reader("zip of a submission", _draw_zip, _check_submission, share=2),
    Reader(
        "polygons of Cityscapes",
        one_of(lambda: [{"a_gtFine_polygons.json": json.dumps(_POLYGONS).encode()}]),
        _draw_polygons,
    ),
    Reader(
        "CSV file of Kinetics",
        one_of(lambda: [{"train.csv": _CSV.encode(), "videos/a.mp4": b"no video"}], "train.csv"),
        _read_csv,
        words=("train.csv", "CSV"),
    ),
    Reader(
        "journal of predictions",
        _files("predict.jsonl", _SETTINGS, _DONE, _DONE | {"name": "b"}),
        _resume_predictions,
        words=("out",),
    ),
    Reader(
        "manifest of a submission",
        _files("submission.json", _MANIFEST),
        _resume_submission,
        words=("out",),
    ),
)
