"""Readers of weights: torch's files, old and new, safetensors, PaddlePaddle's pickles."""

from __future__ import annotations

import io
import pickle
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from mmengine.logging import HistoryBuffer

from glore_seg.apis.model import read_checkpoint
from glore_seg.checkpoints import SOURCES, convert, read_state_dict
from glore_seg.checkpoints.latest import find_latest_valid_checkpoint
from glore_seg.checkpoints.pdparams import read_pdparams
from glore_seg.compat.checkpoints import load_from_local
from glore_seg.utils.files import corruption_reason
from glore_seg.utils.safetensors_io import write_safetensors
from tests.mutations.hostile_pickles import hostile_pickles
from tests.mutations.rule import Files, Nonsense, Reader
from tests.mutations.strategies import spoiled_bytes

STATE = {
    "conv.weight": torch.arange(24.0).reshape(4, 3, 2, 1),
    "bn.running_mean": torch.tensor([1.0, -2.5]),
    "count": torch.tensor(7),
    "half": torch.ones(3, dtype=torch.bfloat16),
}


def _saved(content: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def _training_state() -> dict[str, Any]:
    log = HistoryBuffer([1.0, 2.0], [1, 1])
    return {
        "state_dict": STATE,
        "meta": {"iter": 3, "cfg": "model = dict(type='EncoderDecoder')", "seed": np.int64(3)},
        "message_hub": {"log_scalars": {"train/loss": log}},
        "optimizer": {"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": []},
    }


@cache
def _wholes() -> dict[str, list[bytes]]:
    shown = {"StructuredToParameterName@@": {"conv.weight": "conv_0.w_0"}}
    arrays = {name: value.float().numpy() for name, value in STATE.items()} | shown
    return {
        "new": [_saved(_training_state()), _saved(STATE)],
        "old": [_saved(_training_state(), _use_new_zipfile_serialization=False)],
        "paddle": [pickle.dumps(arrays, protocol=protocol) for protocol in (2, 4)],
    }


@cache
def _safetensors() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        write_safetensors(Path(folder) / "a", STATE, {"cfg": "model = dict(type='A')"})
        return (Path(folder) / "a").read_bytes()


def _one_file(name: str, contents: st.SearchStrategy[bytes]) -> st.SearchStrategy[Files]:
    return contents.map(lambda content: {name: content})


def _read_everywhere(folder: Path) -> None:
    """All ways to weights; that of the tools decides."""
    (file,) = folder.iterdir()
    state = read_state_dict(file)
    if not all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in state.items()):
        raise Nonsense(f"{state} as names and tensors")
    for value in state.values():
        if value.numel() < 1 << 20:  # more may share one number
            value.clone().float().sum().item()
    if file.suffix != ".pdparams":
        read_checkpoint(file)
        load_from_local(str(file))
    if file.suffix == ".pth" and zipfile.is_zipfile(file):
        _check_sums(file, state)


def _check_sums(file: Path, state: dict[str, torch.Tensor]) -> None:
    """What is read of a file with checksums is what was written."""
    if corruption_reason(file):
        raise Nonsense(f"weights of a damaged file ({corruption_reason(file)}) taken for good")
    if find_latest_valid_checkpoint(file.parent, ("*.pth",)).path is None:
        raise Nonsense("a resumed training would pass over what loads")


def _hostile_torch(pickled: bytes) -> bytes:
    """A file of torch whose own pickle is another."""
    whole, out = zipfile.ZipFile(io.BytesIO(_saved(STATE))), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for info in whole.infolist():
            mine = info.filename.endswith("data.pkl")
            archive.writestr(info.filename, pickled if mine else whole.read(info))
    return out.getvalue()


@st.composite
def _names(draw: Any) -> Files:
    """A state dict of names and shapes as somebody's converter might leave them."""
    words = ("pretrained", "conv51", "gcn", "GCN00", "GCN", "0", "weight", "bias", "bn1", "conv1.0")
    words += ("head", "gru_module", "bb_0_0", "bb_99999999_1", "_batch_norm", "_mean", "backbone")
    words += ("auxlayer", "conv_bn_relu", "_conv", "classifier", "", "module", "conv6", "\u0000")
    name = st.lists(st.sampled_from(words), min_size=1, max_size=5).map(".".join)
    shape = st.lists(st.integers(0, 3), max_size=5).map(tuple)
    found = draw(st.dictionaries(name, shape, min_size=1, max_size=8))
    state = {key: torch.zeros(size) for key, size in found.items()}
    return {f"{draw(st.sampled_from(sorted(SOURCES)))}.pth": _saved(state)}


def _convert(folder: Path) -> None:
    (file,) = folder.iterdir()
    wanted = {"decode_head.conv_seg.weight": torch.zeros(1), "backbone.conv1.weight": torch.ones(2)}
    found, comparison = convert(read_state_dict(file), file.stem, wanted)
    if any(found[name].shape != wanted[name].shape for name in found) or not str(comparison):
        raise Nonsense(f"{found} as what fits {wanted}")


READERS = (
    Reader(
        "checkpoint of torch (.pth)",
        lambda: _one_file("a.pth", spoiled_bytes(_wholes()["new"])),
        _read_everywhere,
        share=2,
    ),
    Reader(
        "checkpoint of torch before 1.6",
        lambda: _one_file("a.pth", spoiled_bytes(_wholes()["old"])),
        _read_everywhere,
    ),
    Reader(
        "hostile pickle in a .pth",
        lambda: _one_file("a.pth", hostile_pickles().map(_hostile_torch)),
        _read_everywhere,
    ),
    Reader(
        ".safetensors",
        lambda: _one_file("a.safetensors", spoiled_bytes([_safetensors()])),
        _read_everywhere,
    ),
    Reader(
        ".pdparams",
        lambda: _one_file("a.pdparams", spoiled_bytes(_wholes()["paddle"])),
        _read_everywhere,
    ),
    Reader(
        "hostile pickle as .pdparams",
        lambda: _one_file("a.pdparams", hostile_pickles()),
        lambda folder: read_pdparams(folder / "a.pdparams"),
    ),
    Reader("names of somebody's weights", _names, _convert),
)
