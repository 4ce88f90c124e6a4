"""Readers of configs: text within a checkpoint, JSON of a shared network, files, command lines."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from mmengine.config import Config

from glore_seg.apis import load_config
from glore_seg.apis.hub import from_pretrained, read_config
from glore_seg.apis.inference import Segmenter
from glore_seg.checkpoints.embedded_config import find_embedded_config
from glore_seg.checkpoints.json_config import config_to_json
from glore_seg.checkpoints.untrusted_config import admit_untrusted
from glore_seg.cli import add_cfg_options
from glore_seg.engine import build_model
from glore_seg.export.contract import Contract
from tests.mutations import networks
from tests.mutations.readers import exported
from tests.mutations.rule import Files, Nonsense, Reader
from tests.mutations.strategies import (
    OF_A_VALUE,
    VALUES,
    WORDS,
    no_surrogates,
    paths_within,
    spoiled_json,
    spoiled_text,
    spoiled_tree,
)

_IMAGE = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)


def _quiet(read: Any) -> Any:
    """Without what hosts print and warn of while they build."""

    def quietly(folder: Path) -> object:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return read(folder)

    return quietly


def _parse_text(folder: Path) -> None:
    text = (folder / "cfg.txt").read_bytes().decode("utf-8", "surrogateescape")
    cfg = find_embedded_config(folder / "net.pth", {"cfg": text})
    admit_untrusted(cfg.to_dict(), source="cfg.txt")


def _open(path: Path) -> None:
    """Open a network and let it work, as the page and predict.py do."""
    segmenter = Segmenter(path, device="cpu")
    labels = segmenter(_IMAGE).labels
    known = segmenter.model is not None and labels.max() < 256
    if labels.shape != _IMAGE.shape[:2] or labels.dtype != np.uint8 or not known:
        raise Nonsense(f"labels of shape {labels.shape}, {labels.dtype}")


def _parse_json(folder: Path) -> None:
    cfg = read_config(folder)
    again = json.loads(config_to_json(cfg, source="config.json"))
    if set(again["model"]) != set(cfg.model):
        raise Nonsense(f"{sorted(again['model'])} written back of {sorted(cfg.model)}")


def _build(folder: Path) -> None:
    from_pretrained(folder)


def _texts() -> st.SearchStrategy[str]:
    return spoiled_text([networks.config_text()])


@st.composite
def _spoiled_checkpoint(draw: Any) -> Files:
    """A checkpoint whose config is other text, or of other values."""
    if draw(st.booleans()):
        text: Any = draw(_texts())
    else:
        values = draw(spoiled_tree(_as_tree()))
        text = "\n".join(f"{key} = {value!r}" for key, value in values.items())
    if draw(st.integers(0, 9)) == 0:
        text = draw(st.sampled_from((None, 3, [1], {"model": {}}, b"model = {}", "")))
    return {"net.pth": networks.checkpoint_with(text)}


def _as_tree() -> dict[str, Any]:
    return json.loads(json.dumps(Config.fromstring(networks.config_text(), ".py").to_dict()))


def _config_file() -> st.SearchStrategy[Files]:
    return spoiled_text(
        [networks.whole_text()],
        # a config file is a program, so nothing that would do harm or run for ever
        words=[word for word in WORDS if "canary" not in word and "import" not in word],
    ).map(lambda text: {"config.py": no_surrogates(text)})


def _load_file(folder: Path) -> None:
    cfg = load_config(str(folder / "config.py"))
    build_model(cfg)


@st.composite
def _options(draw: Any) -> Files:
    """A config as it is, and ``--cfg-options`` that change something in it."""
    paths = [path for path in paths_within(_small_tree()) if len(path) < 6]
    options = []
    for _ in range(draw(st.integers(1, 2))):
        key = ".".join(map(str, draw(st.sampled_from(paths))))
        if draw(st.integers(0, 3)) == 0:
            key = draw(spoiled_text([key]))
        value = draw(
            st.one_of(
                st.sampled_from(VALUES).map(repr),
                st.sampled_from(WORDS),
                st.sampled_from(("[1,2", "(1,)", "[[1,2],[3]]", "[a,(b,c)]", "1,2,", '"a"')),
            )
        )
        options.append(draw(st.sampled_from((f"{key}={value}", key, f"={value}"))))
    return {"options.json": json.dumps(options).encode()}


def _small_tree() -> dict[str, Any]:
    return json.loads(json.dumps(networks.small_config().to_dict()))


def _take_options(folder: Path) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_cfg_options(parser)
    options = json.loads((folder / "options.json").read_text())
    (folder / "config.py").write_text(networks.whole_text())
    try:
        args = parser.parse_args(["--cfg-options", *options])
    except argparse.ArgumentError:  # with which a tool ends in one line
        return
    cfg = load_config(
        str(folder / "config.py"), cfg_options=args.cfg_options, work_dir=str(folder / "run")
    )
    build_model(cfg)


_CONTRACT = {"format": 1, **json.loads(json.dumps(exported.CONTRACT))}


def _read_contract(folder: Path) -> None:
    text = (folder / "contract.json").read_bytes().decode("utf-8", "replace")
    contract = Contract.from_json(text, source="contract.json")
    mean, std = (np.array(one, np.float32) for one in (contract.mean, contract.std))
    ((_IMAGE - mean) / std).transpose(2, 0, 1)
    if len(mean) != 3 or not np.isfinite(mean).all() or not (std > 0).all():
        raise Nonsense(f"mean {mean}, std {std}")
    if contract.size_divisor < 1 or contract.channel_order not in ("rgb", "bgr"):
        raise Nonsense(f"{contract}")
    Contract.from_json(contract.to_json(), source="contract.json")


READERS = (
    Reader(
        "config text in a checkpoint",
        lambda: _texts().map(lambda text: {"cfg.txt": no_surrogates(text)}),
        _quiet(_parse_text),
        words=("net.pth", "cfg.txt"),
        share=2,
    ),
    Reader(
        "checkpoint with such a config, opened",
        _spoiled_checkpoint,
        _quiet(lambda folder: _open(folder / "net.pth")),
        words=("net.pth", "image 0", *OF_A_VALUE),
        share=2,
    ),
    Reader(
        "config.json",
        lambda: spoiled_json(networks.config_json()).map(lambda text: {"config.json": text}),
        _quiet(_parse_json),
        share=2,
    ),
    Reader(
        "folder of a shared network, opened",
        lambda: spoiled_json(networks.config_json()).map(
            lambda text: {"config.json": text, "model.safetensors": networks.safetensors()}
        ),
        _quiet(_build),
        words=("config.json", "model.safetensors", "given", *OF_A_VALUE),
    ),
    Reader("config file", _config_file, _quiet(_load_file), words=("config.py", *OF_A_VALUE)),
    Reader(
        "--cfg-options",
        _options,
        _quiet(_take_options),
        words=("config.py", "cfg-options", *OF_A_VALUE),
    ),
    Reader(
        "contract of an ONNX file",
        lambda: spoiled_json(_CONTRACT).map(lambda text: {"contract.json": text}),
        _read_contract,
    ),
)
