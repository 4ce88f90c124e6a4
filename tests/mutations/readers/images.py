"""Readers of images and label maps: inference, the page, training, scoring, converters."""

from __future__ import annotations

import importlib
import io
import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from hypothesis import strategies as st
from mmengine.dataset import Compose
from PIL import Image

from glore_seg.datasets import LoadCheckedAnnotations
from glore_seg.datasets.camvid import convert_camvid
from glore_seg.datasets.train_ids import draw_train_ids
from glore_seg.datasets.transforms import LoadRandomResizeCropFlip
from glore_seg.evaluation import CityscapesScorer
from glore_seg.evaluation.label_ids import update_from_files
from glore_seg.evaluation.submission import ExpectedImages
from glore_seg.utils.image_io import read_image, read_label_map
from projects.web_demo.uploads import Limits, read_upload
from tests.mutations.rule import Files, Nonsense, Reader
from tests.mutations.strategies import spoiled_bytes, spoiled_json
from tests.png_headers import declared

_SIZE = (12, 20)  # height, width
_CLASSES = 19


def encoded(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    """An image as a file of a kind."""
    file = io.BytesIO()
    whole = image if isinstance(image, Image.Image) else Image.fromarray(image)
    whole.save(file, kind, **options)
    return file.getvalue()


@cache
def _noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*_SIZE, 3), np.uint8)


@cache
def images() -> tuple[bytes, ...]:
    """Images of all kinds and modes, and some that tell of a size that they do not have."""
    color, gray = _noise(), _noise()[..., 0]
    wide = gray.astype(np.uint16) * 257
    modes = [color, gray, np.dstack([color, gray]), wide]
    found = [encoded(one) for one in modes]
    found += [encoded(Image.fromarray(color).quantize(16)), encoded(Image.fromarray(gray > 9))]
    found += [encoded(color, kind) for kind in ("JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")]
    found += [encoded(gray.astype(np.float32), "TIFF"), encoded(wide, "TIFF"), encoded(gray, "PPM")]
    found += [encoded(Image.fromarray(color).convert("CMYK"), "JPEG")]
    found += [encoded(color, "JPEG", exif=_turned())]
    sizes = ((2**31 - 1, 2**31 - 1), (60_000, 60_000), (9_000, 9_000), (0, 5), (1, 2**31 - 1))
    found += [declared(found[0], *size) for size in sizes]
    return (*found, b"", b"\x89PNG\r\n\x1a\n", b"P6 9999999 9999999 255\n", b"P5\n3 3\n70000\n")


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[274] = 6
    return exif


@cache
def _labels() -> tuple[bytes, ...]:
    """Label maps: whole, and of wrong values, modes and sizes."""
    good = np.random.default_rng(1).integers(0, _CLASSES, _SIZE, np.uint8)
    good[0] = 255
    ids, one = good.copy(), good.copy()
    ids[1], one[-1, -1] = 33, _CLASSES
    modes = [good, ids, one, good.astype(np.uint16), np.dstack([good] * 3), good[:-1], good.T]
    found = [encoded(each) for each in modes]
    found += [encoded(Image.fromarray(good % 16).quantize(16)), encoded(Image.fromarray(good > 3))]
    found += [encoded(good, "TIFF"), encoded(good, "BMP"), encoded(good, "JPEG")]
    return (*found, declared(found[0], 30_000, 30_000), declared(found[0], 20, 10_000), b"")


@st.composite
def _spoiled_within(draw: Any, wholes: list[bytes]) -> bytes:
    """A PNG with a spoiled chunk, and lengths and checksums that are right."""
    data, position, chunks = draw(st.sampled_from(wholes)), 8, []
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        chunks.append(
            (data[position + 4 : position + 8], data[position + 8 : position + 8 + length])
        )
        position += 12 + length
    place = draw(st.integers(0, len(chunks) - 1))
    name, content = chunks[place]
    if name == b"IDAT" and draw(st.booleans()):
        content = zlib.compress(draw(spoiled_bytes([zlib.decompress(content)])))
    else:
        content = draw(spoiled_bytes([content], most=2))
    chunks[place] = (draw(st.sampled_from((name, name, name, b"tRNS", b"PLTE", b"IHDR"))), content)
    if draw(st.integers(0, 4)) == 0:
        chunks.insert(draw(st.integers(0, len(chunks))), chunks[place])
    return data[:8] + b"".join(
        len(each).to_bytes(4, "big") + kind + each + zlib.crc32(kind + each).to_bytes(4, "big")
        for kind, each in chunks
    )


def _some(
    name: str, wholes: tuple[bytes, ...], others: Files | None = None
) -> st.SearchStrategy[Files]:
    """As they are, or spoiled."""
    contents = st.one_of(
        st.sampled_from(wholes),
        spoiled_bytes([wholes[0]] * (len(wholes) // 2) + [*wholes]),  # the first is the good one
        _spoiled_within([wholes[0], *(each for each in wholes if each[12:16] == b"IHDR")]),
    )
    return contents.map(lambda content: {**(others or {}), name: content})


def _check_rgb(image: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise Nonsense(f"{image.dtype} of shape {image.shape} as an image")
    if image.size > 10**8:
        raise Nonsense(f"an image of shape {image.shape} out of a small file")


def _read_both(folder: Path) -> None:
    shapes = {b: _shape(folder / "a.png", b) for b in ("cv2", "pillow")}
    if None not in shapes.values() and len(set(shapes.values())) > 1:
        raise Nonsense(f"decoders disagree: {shapes}")
    _check_rgb(read_image(folder / "a.png", check_complete=True))


def _shape(path: Path, backend: str) -> tuple[int, ...] | None:
    try:
        return read_image(path, backend=backend, check_complete=True).shape
    except ValueError:  # said again by the caller
        return None


def _read_upload(folder: Path) -> None:
    limits = Limits(megapixels=4.0)
    image = read_upload((folder / "a").read_bytes(), limits).image
    _check_rgb(image)
    if image.shape[0] * image.shape[1] > 4e6:
        raise Nonsense(f"an image of shape {image.shape} beyond its limit")


def _read_label(folder: Path) -> None:
    found = []
    for backend in ("pillow", "cv2"):
        loader = LoadCheckedAnnotations(num_classes=_CLASSES, imdecode_backend=backend)
        place = {"seg_map_path": str(folder / "a_labelTrainIds.png"), "ori_shape": (*_SIZE, 3)}
        label = loader.read(place)
        if label.shape != _SIZE or label.dtype != np.uint8:
            raise Nonsense(f"{label.dtype} of shape {label.shape} as a label map")
        if ((label >= _CLASSES) & (label != 255)).any():
            raise Nonsense(f"classes {np.unique(label)}")
        found.append(label)
    if (found[0] != found[1]).any():
        raise Nonsense("decoders read different classes")


_KEY = "bonn_000000_000019"


def _score(folder: Path) -> None:
    size = (_SIZE[1], _SIZE[0])
    labels = ExpectedImages("val", {_KEY: size}).ground_truth(folder) or {}
    scorer = CityscapesScorer()
    update_from_files(scorer, np.full(_SIZE, 7, np.uint8), labels[_KEY])
    means = scorer.compute().as_dict()
    if any(value < 0 or value > 100 for value in means.values()):
        raise Nonsense(f"scores {means}")


def _scored(name: str, wholes: tuple[bytes, ...]) -> st.SearchStrategy[Files]:
    where = f"gtFine/val/bonn/{_KEY}_gtFine_"
    label = np.full(_SIZE, 7, np.uint8)
    whole = {f"{where}labelIds.png": encoded(label)}
    whole[f"{where}instanceIds.png"] = encoded(label.astype(np.uint16))
    return _some(f"{where}{name}.png", wholes, whole)


@cache
def _ground_truth() -> tuple[bytes, ...]:
    label = np.random.default_rng(2).integers(0, 34, _SIZE, np.uint8)
    instances = label.astype(np.uint16) * 1000 + 3
    return (encoded(label), encoded(instances), *_labels())


def _convert_camvid(folder: Path) -> None:
    out = folder / "out"
    convert_camvid(folder, out, progress=False)
    for file in out.rglob("*_labelTrainIds.png"):
        label = read_label_map(file, fix="")
        if ((label >= _CLASSES) & (label != 255)).any():
            raise Nonsense(f"CamVid's classes became {np.unique(label)}")


def _camvid() -> st.SearchStrategy[Files]:
    label = np.random.default_rng(1).integers(0, 12, _SIZE, np.uint8)
    image, places = encoded(_noise(), "JPEG"), {}
    for split in ("train", "val"):
        name = f"0001TP_00669{len(split)}"
        places[f"images/{split}/{name}.jpg"] = image
        places[f"labels/{split}/{name}.png"] = encoded(label)
    first, second = "images/train/0001TP_006695.jpg", "labels/train/0001TP_006695.png"
    return st.one_of(_some(first, (image, *images()), places), _some(second, _labels(), places))


_POLYGONS = {
    "imgHeight": 12,
    "imgWidth": 20,
    "objects": [
        {"label": "road", "polygon": [[0, 0], [10, 0], [10, 10]]},
        {"label": "cargroup", "polygon": [[3, 3], [9, 3], [9, 9], [3, 9]]},
    ],
}


def _draw_polygons(folder: Path) -> None:
    source = folder / "a_gtFine_polygons.json"
    draw_train_ids(source)
    found = cv2.imread(str(folder / "a_gtFine_labelTrainIds.png"), cv2.IMREAD_UNCHANGED)
    if found is None or found.ndim != 2 or ((found > 18) & (found != 255)).any():
        raise Nonsense("what is drawn is no label map")


_PAIR = ("a_leftImg8bit.png", "a_labelTrainIds.png")


def _train(folder: Path) -> None:
    """A sample of training by the transform that reads crops, and by mmseg's own."""
    place = {"img_path": str(folder / _PAIR[0]), "seg_map_path": str(folder / _PAIR[1])}
    ours = LoadRandomResizeCropFlip(scale=(20, 12), crop_size=(8, 8), num_classes=_CLASSES)
    found = ours({**place, "seg_fields": []})
    _check_rgb(found["img"])
    label = found["gt_seg_map"]
    if label.shape != found["img"].shape[:2] or ((label >= _CLASSES) & (label != 255)).any():
        raise Nonsense(f"a label of shape {label.shape}, {np.unique(label)}")


def _pairs() -> st.SearchStrategy[Files]:
    good = np.random.default_rng(1).integers(0, _CLASSES, _SIZE, np.uint8)
    whole = {_PAIR[0]: encoded(_noise()), _PAIR[1]: encoded(good)}
    return st.one_of(_some(_PAIR[0], images(), whole), _some(_PAIR[1], _labels(), whole))


class _Sample:
    """The one sample of a dataset."""

    def __init__(self, *steps: str | dict[str, Any], **place: Any) -> None:
        configs = [{"type": step} if isinstance(step, str) else step for step in steps]
        self.pipeline, self.place = Compose(configs), place

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        return self.pipeline(dict(self.place))


def _score_on(folder: Path) -> None:
    """A sample of validation and test, as the configs of street scenes read it."""
    image, label = (str(folder / name) for name in _PAIR)
    steps = ("LoadImageFromFile", "mmseg.LoadCheckedAnnotations", "mmseg.PackSegInputs")
    place = {"img_path": image, "seg_map_path": label, "reduce_zero_label": False}
    sample = _Sample(*steps, **place, seg_fields=[])
    found = sample[0]
    _check_rgb(found["inputs"].numpy().transpose(1, 2, 0))
    labels = found["data_samples"].gt_sem_seg.data.numpy()
    if labels.shape[1:] != found["inputs"].shape[1:] or ((labels > 18) & (labels != 255)).any():
        raise Nonsense(f"a label of shape {labels.shape}, {np.unique(labels)}")


def _classify(folder: Path) -> None:
    """A sample of a classifier's validation and test."""
    edge = {"type": "mmpretrain.ResizeEdge", "scale": 8, "edge": "short"}
    crop = {"type": "mmpretrain.CenterCrop", "crop_size": 6}
    steps = ("LoadImageFromFile", edge, crop, "mmpretrain.PackInputs")
    sample = _Sample(*steps, img_path=str(folder / "a.png"), gt_label=1)
    found = sample[0]
    if tuple(found["inputs"].shape) != (3, 6, 6):
        raise Nonsense(f"a sample of shape {found['inputs'].shape}")


READERS = (
    Reader("image to segment", lambda: _some("a.png", images()), _read_both, share=2),
    Reader(
        "image uploaded to the page",
        lambda: _some("a", images()),
        _read_upload,
        words=("image", "file"),
    ),
    Reader("image and label to train on", _pairs, _train),
    Reader("image and label to test on", _pairs, _score_on),
    Reader(
        "image to classify",
        lambda: _some("a.png", images()),
        _classify,
        warm=lambda: importlib.import_module("mmpretrain.datasets"),
    ),
    Reader("label map", lambda: _some("a_labelTrainIds.png", _labels()), _read_label, share=2),
    Reader("labelIds to score by", lambda: _scored("labelIds", _ground_truth()), _score),
    Reader("instanceIds to score by", lambda: _scored("instanceIds", _ground_truth()[1:]), _score),
    Reader("CamVid", _camvid, _convert_camvid, words=("images", "labels")),
    Reader(
        "polygons of Cityscapes",
        lambda: spoiled_json(json.loads(json.dumps(_POLYGONS))).map(
            lambda text: {"a_gtFine_polygons.json": text}
        ),
        _draw_polygons,
    ),
)
