"""Readers of configs: text within a checkpoint, JSON of a shared network, files; ONNX."""

import contextlib
import io
import json
import warnings
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from glore_seg.apis.hub import from_pretrained
from glore_seg.apis.inference import Segmenter
from glore_seg.checkpoints.configs import config_to_json, find_embedded_config, read_json_config
from glore_seg.checkpoints.untrusted_config import admit_untrusted
from glore_seg.export import Contract
from tests.export.networks import contract, onnx_file
from tests.mutations import networks
from tests.mutations.mutate import Files, mutate_text, mutate_tree, one_of
from tests.mutations.rule import Reader, expect

_IMAGE = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
_OF_A_VALUE = ("expected", "must be", "must have", "got", "give")  # such errors know no file


def _quiet(read: Any) -> Any:
    """Without what upstream prints and warns of while it builds."""

    def quietly(folder: Path) -> object:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return read(folder)

    return quietly


def _parse_text(folder: Path) -> None:
    text = (folder / "cfg.txt").read_bytes().decode("utf-8", "surrogateescape")
    cfg = find_embedded_config(folder / "net.pth", {"cfg": text})
    admit_untrusted(cfg.to_dict(), source="cfg.txt")


def _draw_checkpoint(rng: Random) -> Files:
    """A checkpoint whose config is other text, or of other values."""
    text = networks.used_config().pretty_text
    kind = rng.randrange(10)
    if kind == 0:
        cfg = rng.choice((None, 3, [1], {"model": {}}, b"model = {}", ""))
    elif kind < 5:
        cfg = mutate_text(rng, text)
    else:
        values = mutate_tree(rng, json.loads(json.dumps(networks.used_config().to_dict())))
        cfg = "\n".join(f"{key} = {value!r}" for key, value in values.items())
    return {"net.pth": networks.checkpoint_with(cfg)}


def _open(path: Path) -> None:
    """Open a network and let it work, as the web demo and predict.py do."""
    labels = Segmenter(path, device="cpu")(_IMAGE).labels
    expect(labels.shape == _IMAGE.shape[:2] and labels.dtype == np.uint8, labels)


def _parse_json(folder: Path) -> None:
    cfg = read_json_config(folder / "config.json")
    again = json.loads(config_to_json(cfg, source="config.json"))
    expect(set(again["model"]) == set(cfg.model), again["model"])


@cache
def _shared() -> list[Files]:
    weights = networks.safetensors(networks.weights(), {})
    return [{"config.json": networks.config_json(), "model.safetensors": weights}]


def _read_contract(folder: Path) -> None:
    text = (folder / "contract.json").read_bytes().decode("utf-8", "replace")
    found = Contract.from_json(text, source="contract.json")
    mean, std = (np.array(one, np.float32) for one in (found.mean, found.std))
    expect(len(mean) == 3 and np.isfinite(mean).all() and (std > 0).all(), mean, std)
    expect(found.size_divisor >= 1 and found.channel_order in ("rgb", "bgr"), found)


def _config_text() -> list[Files]:
    return [{"cfg.txt": networks.used_config().pretty_text.encode()}]


READERS = (
    Reader(
        "config text in a checkpoint",
        one_of(_config_text),
        _quiet(_parse_text),
        words=("net.pth", "cfg.txt"),
        share=2,
    ),
    Reader(
        "checkpoint with such a config, opened",
        _draw_checkpoint,
        _quiet(lambda folder: _open(folder / "net.pth")),
        words=("net.pth", "image 0", *_OF_A_VALUE),
        share=2,
    ),
    Reader("config.json", one_of(_shared, "config.json"), _quiet(_parse_json), share=2),
    Reader(
        "folder of a shared network, opened",
        one_of(_shared, "config.json"),
        _quiet(from_pretrained),
        words=("config.json", "model.safetensors", "given", *_OF_A_VALUE),
    ),
    Reader(
        "contract of an ONNX file",
        one_of(lambda: [{"contract.json": contract().to_json().encode()}]),
        _read_contract,
    ),
    Reader(
        "ONNX file",
        one_of(lambda: [{"a.onnx": onnx_file(contract()).SerializeToString()}]),
        lambda folder: _open(folder / "a.onnx"),
        words=("a.onnx", "image 0"),
    ),
)
