"""What our own commands leave in a folder and read again: journals, markers, logs, indices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from glore_seg.apis.inference import OutputFolder as PredictionFolder
from glore_seg.checkpoints.latest import find_latest_valid_checkpoint
from glore_seg.evaluation.submission import ExpectedImages, SubmissionWriter
from glore_seg.visualization.curves import read_scalars
from projects.reproduction.model_index import config_table, read_model_index
from projects.synthetic_data.output_folder import DatasetFolder
from tests.mutations.rule import Files, Nonsense, Reader
from tests.mutations.strategies import no_surrogates, spoiled_bytes, spoiled_json, spoiled_text

_SETTINGS = {"source": "ab12", "ids": "train", "opacity": 0.5}
_DONE = {"name": "a", "file": ["/x/a.png", 3, 4], "labels": True, "shares": [0.25, 0.75]}


def _lines(first: dict[str, Any], other: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Two lines of JSON, of which one is spoiled."""
    whole = [json.dumps(each).encode() for each in (first, other)]
    return st.one_of(
        spoiled_json(first).map(lambda line: b"\n".join((line, whole[1], b""))),
        spoiled_json(other).map(lambda line: b"\n".join((whole[0], line, whole[1], b""))),
        spoiled_bytes([b"\n".join((*whole, b""))]),
    )


def _read_journal(folder: Path) -> None:
    done = PredictionFolder(folder / "out", _SETTINGS, classes=["road", "sky"])
    done.todo([])
    done.write_shares()


def _read_marker(folder: Path) -> None:
    made = DatasetFolder(folder / "out", "made.json", "street scenes", ["leftImg8bit"])
    before = (folder / "out" / "made.json").read_bytes()
    notes = made.claim({"seed": 0, "size": [64, 128]}, overwrite=False)
    if notes and notes.get("settings") != {"seed": 0, "size": [64, 128]}:
        raise Nonsense(f"{notes} of these settings")
    if (folder / "out" / "made.json").read_bytes() != before:
        raise Nonsense("the marker was changed")


def _read_submission(folder: Path) -> None:
    expected = ExpectedImages("test", {"bonn_000000_000019": (16, 8)})
    SubmissionWriter(folder / "out", expected, {"checkpoint": "ab12", "threads": 1}).begin()


def _read_log(folder: Path) -> None:
    scalars = read_scalars(folder)
    for name, points in scalars.items():
        steps = [step for step, _ in points]
        if steps != sorted(set(steps)) or not isinstance(name, str):
            raise Nonsense(f"{name}: {points}")


_INDEX = "Import:\n- a/metafile.yml\n"
_METAFILE = """Collections:
- Name: GloRe
  Description: A network.
Models:
- Name: a
  In Collection: GloRe
  Config: configs/a.py
  Metadata:
    Training Data: Cityscapes
    Input: 3 x 512 x 1024
    Parameters: 100
    FLOPs: 1000
  Results:
  - Task: Semantic Segmentation
    Source: paper
    Metrics:
      mIoU: 78.25
"""


@st.composite
def _indices(draw: Any) -> Files:
    name = draw(st.sampled_from(("model-index.yml", "a/metafile.yml")))
    files = {"model-index.yml": _INDEX, "a/metafile.yml": _METAFILE, "configs/a.py": ""}
    files[name] = draw(spoiled_text([files[name]]))
    return {each: no_surrogates(text) for each, text in files.items()}


def _read_index(folder: Path) -> None:
    models = read_model_index(folder)
    if any(len(model.input_shape) < 3 for model in models):
        raise Nonsense(f"{[model.input_shape for model in models]}")
    for model in models:  # as counting does
        model.entry["Metadata"].update({"Parameters": 100, "FLOPs": 1000})
    config_table(folder, models)


@st.composite
def _last_checkpoints(draw: Any) -> Files:
    text = draw(spoiled_text(["/runs/a/iter_4.pth\n", "iter_4.pth"]))
    return {"last_checkpoint": no_surrogates(text), "iter_4.pth": draw(st.binary(max_size=40))}


def _find_last(folder: Path) -> None:
    if find_latest_valid_checkpoint(folder).path is not None:
        raise Nonsense("a few bytes taken for a checkpoint")


READERS = (
    Reader(
        "journal of predictions",
        lambda: _lines(_SETTINGS, _DONE).map(lambda content: {"out/predict.jsonl": content}),
        _read_journal,
        words=("out",),
    ),
    Reader(
        "marker of a made folder",
        lambda: spoiled_json({"settings": {"seed": 0, "size": [64, 128]}, "complete": True}).map(
            lambda content: {"out/made.json": content, "out/leftImg8bit/a": b""}
        ),
        _read_marker,
        words=("out",),
    ),
    Reader(
        "manifest of a submission",
        lambda: spoiled_json({"checkpoint": "ab12", "threads": 1}).map(
            lambda content: {"out/submission.json": content}
        ),
        _read_submission,
        words=("out",),
    ),
    Reader(
        "log of a training",
        lambda: _lines({"loss": 1.5, "step": 1, "time": 0.1}, {"mIoU": 30.0, "step": 2}).map(
            lambda content: {"1/vis_data/scalars.json": content}
        ),
        _read_log,
    ),
    Reader(
        "index of configs",
        _indices,
        _read_index,
        words=("model-index.yml", "metafile.yml", "given/"),
    ),
    Reader("last_checkpoint", _last_checkpoints, _find_last),
)
