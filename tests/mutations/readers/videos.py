"""Readers of videos, of lists of them, and of Kinetics' CSV files."""

from __future__ import annotations

import importlib
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from glore_seg.apis.inference import Segmenter
from glore_seg.apis.inference.video import segment_video
from glore_seg.datasets.kinetics import convert_kinetics
from glore_seg.datasets.kinetics.annotations import class_names, read_segments
from glore_seg.datasets.video import read_frames, scan_video
from tests.datasets.video.files import write_clip
from tests.mutations import networks
from tests.mutations.rule import Files, Nonsense, Reader
from tests.mutations.strategies import no_surrogates, spoiled_bytes, spoiled_text

_FRAMES = 6


@cache
def _clips() -> tuple[bytes, ...]:
    """A short clip in three containers, and files that FFmpeg would follow elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = ("mp4", "avi", "mkv")
        files = [write_clip(Path(folder) / f"a.{kind}", _FRAMES) for kind in kinds]
        lists = (
            b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
            b"ffconcat version 1.0\nfile /etc/passwd\n",
            b"",
        )
        return (*(file.read_bytes() for file in files), *lists)


def _spoiled() -> st.SearchStrategy[Files]:
    return spoiled_bytes(_clips()).map(lambda content: {"a.mp4": content})


def _decode(folder: Path) -> None:
    scan = scan_video(folder / "a.mp4")
    frames, _ = read_frames(scan, [0, scan.num_frames // 2, scan.num_frames - 1])
    if len({frame.shape for frame in frames}) > 1 or len(frames) != 3:
        raise Nonsense(f"frames of {[frame.shape for frame in frames]}")
    if any(frame.dtype != np.uint8 or frame.ndim != 3 for frame in frames):
        raise Nonsense("frames that are no images")


@cache
def _segmenter() -> Segmenter:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pth"
        path.write_bytes(networks.checkpoint_with(networks.config_text()))
        return Segmenter(path, device="cpu")


def _segment(folder: Path) -> None:
    shares = segment_video(_segmenter(), folder / "a.mp4", folder / "out.mp4", progress=False)
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise Nonsense(f"shares of {sum(shares.values())}")


_CSV = (
    "label,youtube_id,time_start,time_end,split\n"
    'abseiling,"0wR5jVB-WPk",417,427,train\nair drumming,-CjX1,9,19,train\n'
)
_LIST = "abseiling/a.mp4 0\nair drumming/b c.mp4 1\nd.mp4 2\n"


def _read_csv(folder: Path) -> None:
    segments = read_segments(folder / "train.csv")
    names = class_names(segments, None)
    if any(not segment.youtube_id or segment.start < 0 for segment in segments):
        raise Nonsense(f"{segments}")
    if len(set(names)) < len(names):
        raise Nonsense(f"classes {names}")
    out = folder / "out"
    videos = folder / "videos"
    report = convert_kinetics([folder / "train.csv"], videos, out, progress=False)
    if any(report.listed.values()):
        raise Nonsense(f"{report.listed}, though no video is one")
    if not {file.parent for file in out.iterdir()} == {out}:
        raise Nonsense("files beside the given folder")


def _read_list(folder: Path) -> None:
    video: Any = importlib.import_module("glore_seg.datasets.video.dataset")
    dataset = video.CheckedVideoDataset(
        ann_file=str(folder / "list.txt"),
        data_prefix={"video": str(folder)},
        pipeline=[{"type": "CheckedVideoInit"}, {"type": "CheckedVideoDecode"}],
        metainfo={"classes": ["a", "b", "c"]},
    )
    labels = [dataset.get_data_info(i)["label"] for i in range(len(dataset))]
    if not all(0 <= label < 3 for label in labels):
        raise Nonsense(f"labels {labels}")


def _import_mmaction() -> None:
    from mmengine.registry import init_default_scope

    importlib.import_module("glore_seg.datasets.video.dataset")
    init_default_scope("mmaction")


READERS = (
    Reader("video to train on", _spoiled, _decode, share=1),
    Reader("video to segment", _spoiled, _segment, warm=_segmenter),
    Reader(
        "CSV file of Kinetics",
        lambda: spoiled_text([_CSV]).map(
            lambda text: {"train.csv": no_surrogates(text), "videos/a.mp4": b"no video"}
        ),
        _read_csv,
        words=("train.csv", "CSV"),
    ),
    Reader(
        "list of videos",
        lambda: spoiled_text([_LIST]).map(
            lambda text: {"list.txt": no_surrogates(text), "d.mp4": b"no video"}
        ),
        _read_list,
        words=("list.txt",),
        warm=_import_mmaction,
    ),
)
