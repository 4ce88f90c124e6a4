"""Readers of images, label maps and videos: inference, the web demo, training, scoring."""

import io
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from PIL import Image

from glore_seg.apis.inference import Segmenter
from glore_seg.apis.inference.video import segment_video
from glore_seg.datasets import LoadCheckedAnnotations
from glore_seg.datasets.transforms import LoadRandomResizeCropFlip
from glore_seg.datasets.video import read_frames, scan_video
from glore_seg.evaluation import CityscapesScorer
from glore_seg.evaluation.label_ids import update_from_files
from glore_seg.evaluation.submission import ExpectedImages
from glore_seg.utils.image_io import read_image
from projects.web_demo.handlers import Limits, read_upload
from tests.datasets.video.files import write_clip
from tests.mutations import networks
from tests.mutations.mutate import Files, one_of
from tests.mutations.rule import Reader, expect
from tests.png_headers import declared

SIZE = (12, 20)  # height, width
CLASSES = 19
_PAIR = ("a_leftImg8bit.png", "a_labelTrainIds.png")
_KEY = "bonn_000000_000019"


def encoded(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    """An image as a file of a kind."""
    file = io.BytesIO()
    whole = image if isinstance(image, Image.Image) else Image.fromarray(image)
    whole.save(file, kind, **options)
    return file.getvalue()


@cache
def images() -> tuple[bytes, ...]:
    """Images of all kinds and modes, a good one first, and some that declare another size."""
    color = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    gray, turned = color[..., 0], Image.Exif()
    wide, turned[274] = gray.astype(np.uint16) * 257, 6
    found = [encoded(one) for one in (color, gray, np.dstack([color, gray]), wide)]
    found += [encoded(Image.fromarray(color).quantize(16)), encoded(Image.fromarray(gray > 9))]
    found += [encoded(color, kind) for kind in ("JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")]
    found += [encoded(gray.astype(np.float32), "TIFF"), encoded(wide, "TIFF"), encoded(gray, "PPM")]
    found += [encoded(Image.fromarray(color).convert("CMYK"), "JPEG")]
    found += [encoded(color, "JPEG", exif=turned)]
    sizes = ((2**31 - 1, 2**31 - 1), (60_000, 60_000), (9_000, 9_000), (0, 5), (1, 2**31 - 1))
    found += [declared(found[0], *size) for size in sizes]
    return (*found, b"", b"\x89PNG\r\n\x1a\n", b"P6 9999999 9999999 255\n", b"P5\n3 3\n70000\n")


@cache
def label_maps() -> tuple[bytes, ...]:
    """Label maps: a good one first, then of wrong values, modes and sizes."""
    good = np.random.default_rng(1).integers(0, CLASSES, SIZE, np.uint8)
    good[0] = 255
    ids, one = good.copy(), good.copy()
    ids[1], one[-1, -1] = 33, CLASSES
    modes = [good, ids, one, good.astype(np.uint16), np.dstack([good] * 3), good[:-1], good.T]
    found = [encoded(each) for each in modes]
    found += [encoded(Image.fromarray(good % 16).quantize(16)), encoded(Image.fromarray(good > 3))]
    found += [encoded(good, kind) for kind in ("TIFF", "BMP", "JPEG")]
    return (*found, declared(found[0], 30_000, 30_000), declared(found[0], 20, 10_000), b"")


def of_kinds(contents: tuple[bytes, ...], name: str, others: Files | None = None) -> list[Files]:
    """A file of each content; the good one, which is the first, as often as all others."""
    files = [{**(others or {}), name: content} for content in contents]
    return [files[0]] * len(files) + files


def _images(name: str = "a.png") -> Any:
    return one_of(lambda: of_kinds(images(), name), name)


def _pairs() -> list[Files]:
    whole = dict(zip(_PAIR, (images()[0], label_maps()[0]), strict=True))
    return of_kinds(images(), _PAIR[0], whole) + of_kinds(label_maps(), _PAIR[1], whole)


def _scored(name: str) -> Any:
    """A label map and its instances, one of which is mutated or of another kind."""
    where = f"gtFine/val/bonn/{_KEY}_gtFine_"

    def files() -> list[Files]:
        road = np.full(SIZE, 7, np.uint8)
        label = np.random.default_rng(2).integers(0, 34, SIZE, np.uint8)
        kinds = (encoded(label), encoded(label.astype(np.uint16) * 1000 + 3), *label_maps())
        whole = {f"{where}labelIds.png": encoded(road)}
        whole[f"{where}instanceIds.png"] = encoded(road.astype(np.uint16))
        return of_kinds(kinds, f"{where}{name}.png", whole)

    return one_of(files, f"{where}{name}.png")


def _check_rgb(image: np.ndarray) -> None:
    expect(image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3, image)
    expect(0 < image.size <= 10**8, image.shape, "out of a small file")


def check_classes(label: np.ndarray, shape: tuple[int, ...]) -> None:
    """A label map of train ids has this shape."""
    expect(label.shape == shape and not ((label >= CLASSES) & (label != 255)).any(), label)


def _read_image(folder: Path) -> None:
    shapes = set()
    for backend in ("cv2", "pillow"):
        image = read_image(folder / "a.png", backend=backend, check_complete=True)
        _check_rgb(image)
        shapes.add(image.shape)
    expect(len(shapes) == 1, "decoders disagree:", shapes)


def _read_upload(folder: Path) -> None:
    image, _ = read_upload((folder / "a.png").read_bytes(), Limits(megapixels=4.0))
    _check_rgb(image)
    expect(image.shape[0] * image.shape[1] <= 4e6, image.shape, "is beyond the limit")


def _read_label(folder: Path) -> None:
    found = []
    for backend in ("pillow", "cv2"):
        loader = LoadCheckedAnnotations(num_classes=CLASSES, imdecode_backend=backend)
        path = str(folder / "a_labelTrainIds.png")
        found.append(loader.read({"seg_map_path": path, "ori_shape": (*SIZE, 3)}))
        check_classes(found[-1], SIZE)
    expect((found[0] == found[1]).all(), "decoders read different classes")


def _score(folder: Path) -> None:
    labels = ExpectedImages("val", {_KEY: SIZE[::-1]}).ground_truth(folder) or {}
    scorer = CityscapesScorer()
    update_from_files(scorer, np.full(SIZE, 7, np.uint8), labels[_KEY])
    scores = scorer.compute().as_dict()
    expect(not any(value < 0 or value > 100 for value in scores.values()), scores)


def _pair(folder: Path) -> dict[str, Any]:
    image, label = (str(folder / name) for name in _PAIR)
    return {
        **{"img_path": image, "seg_map_path": label},
        **{"seg_fields": [], "reduce_zero_label": False},
    }


def _train(folder: Path) -> None:
    """A sample of training."""
    load = LoadRandomResizeCropFlip(scale=(20, 12), crop_size=(8, 8), num_classes=CLASSES)
    found = load(_pair(folder))
    _check_rgb(found["img"])
    check_classes(found["gt_seg_map"], found["img"].shape[:2])


def _validate(folder: Path) -> None:
    """A sample of validation and test, as the configs of street scenes read it."""
    steps = ("LoadImageFromFile", "mmseg.LoadCheckedAnnotations", "mmseg.PackSegInputs")
    found = Compose([{"type": step} for step in steps])(_pair(folder))
    image = found["inputs"].numpy().transpose(1, 2, 0)
    _check_rgb(image)
    check_classes(found["data_samples"].gt_sem_seg.data.numpy()[0], image.shape[:2])


@cache
def _clips() -> list[Files]:
    """A short clip in three containers, and files that FFmpeg would follow elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        files = [write_clip(Path(folder) / f"a.{kind}", 6) for kind in ("mp4", "avi", "mkv")]
        contents = [file.read_bytes() for file in files]
    contents.append(b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n")
    contents.append(b"ffconcat version 1.0\nfile /etc/passwd\n")
    return [{"a.mp4": content} for content in (*contents, b"")]


def _decode(folder: Path) -> None:
    scan = scan_video(folder / "a.mp4")
    frames, _ = read_frames(scan, [0, scan.num_frames // 2, scan.num_frames - 1])
    for frame in frames:
        _check_rgb(frame)
    expect(len(frames) == 3 and len({frame.shape for frame in frames}) == 1, frames)


@cache
def _segmenter() -> Segmenter:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pth"
        path.write_bytes(networks.checkpoint_with(networks.used_config().pretty_text))
        return Segmenter(path, device="cpu")


def _segment(folder: Path) -> None:
    shares = segment_video(_segmenter(), folder / "a.mp4", folder / "out.mp4", progress=False)
    expect(abs(sum(shares.values()) - 1) < 1e-6, shares)


READERS = (
    Reader("image to segment", _images(), _read_image, share=2),
    Reader("image uploaded to the web demo", _images(), _read_upload, words=("image", "file")),
    Reader("image and label to train on", one_of(_pairs), _train),
    Reader("image and label to test on", one_of(_pairs), _validate),
    Reader(
        "label map",
        one_of(lambda: of_kinds(label_maps(), "a_labelTrainIds.png")),
        _read_label,
        share=2,
    ),
    Reader("labelIds to score by", _scored("labelIds"), _score),
    Reader("instanceIds to score by", _scored("instanceIds"), _score),
    Reader("video to train on", one_of(_clips), _decode),
    Reader("video to segment", one_of(_clips), _segment, warm=_segmenter),
)
