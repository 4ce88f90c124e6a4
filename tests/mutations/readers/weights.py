"""Readers of weights: torch's files, old and new, safetensors, PaddlePaddle's pickles."""

import io
import pickle
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from glore_seg.apis.model import read_checkpoint
from glore_seg.checkpoints import convert, read_state_dict
from glore_seg.checkpoints.converters import SOURCES
from glore_seg.checkpoints.files import read_pdparams
from glore_seg.checkpoints.latest import find_latest_valid_checkpoint
from glore_seg.compat.checkpoints import load_from_local
from glore_seg.utils.files import corruption_reason
from tests.mutations.mutate import CANARY, Files, mutate_bytes, one_of
from tests.mutations.networks import safetensors, saved
from tests.mutations.rule import Reader, expect

STATE = {
    "conv.weight": torch.arange(24.0).reshape(4, 3, 2, 1),
    "bn.running_mean": torch.tensor([1.0, -2.5]),
    "count": torch.tensor(7),
    "half": torch.ones(3, dtype=torch.bfloat16),
}

_MAKE = f"__import__('os').mkdir({CANARY!r})"
_CALLS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    *(("os", "mkdir", (CANARY,)), ("posix", "mkdir", (CANARY,)), ("os", "system", ("true",))),
    *(("builtins", "eval", (_MAKE,)), ("builtins", "exec", (_MAKE,)), ("pathlib", "Path", ("a",))),
    *(("builtins", "getattr", ("text", "format")), ("builtins", "open", (CANARY, "w"))),
    *(("subprocess", "Popen", (["mkdir", CANARY],)), ("runpy", "run_path", ("a.py",))),
    *(("numpy", "load", ("a.npy",)), ("numpy", "fromfile", ("a",)), ("torch", "load", ("a",))),
    *(("numpy", "dtype", ("O",)), ("numpy", "dtype", ("f4", False, True))),
    *(("numpy", "ndarray", ((2,), "O")), ("numpy.core.multiarray", "scalar", ("f8", b"1"))),
    ("torch._utils", "_rebuild_tensor_v2", (None, 0, (2**40,), (1,), False, None)),
    *(("torch", "FloatStorage", (2**50,)), ("torch._utils", "_rebuild_parameter", (1, 2, 3))),
    *(("collections", "OrderedDict", ((("a", 1),),)), ("_codecs", "encode", ("a", "rot13"))),
    *(("mmengine.logging.history_buffer", "HistoryBuffer", ()), ("builtins", "bytes", (2**62,))),
    *(("mmengine.fileio", "load", ("a.pkl",)), ("codecs", "open", (CANARY, "w"))),
    *(("types", "CodeType", ()), ("importlib", "import_module", ("antigravity",))),
)
# Instructions that are short of what they need, or ask for very much.
_ODD = (
    *(bytes([code]) for code in b"()]}tRbo02\x81\x93\x92Q\x94N\x88.\x97\x98sue"),
    *(b"\x80\x05", b"\x80\xff", b"P1\n", b"h\xff", b"I99\n", b"L9L9L9", b"p99999999\n"),
    *(bytes([code]) + b"\xff\xff\xff\x7f" for code in b"jBTX\x8br"),
    *(bytes([code]) + b"\xff" * 7 + b"\x3f" for code in b"\x8d\x8e\x95"),
    *(b"(" * 2000, b"]" * 2000 + b"a" * 1999, b"cos\nmkdir\n", b"\x8c\x02os\x8c\x05mkdir\x93"),
)


def _argument(value: Any) -> bytes:
    return pickle.dumps(value, protocol=2)[2:-1]  # without its begin and its end


def _hostile_pickle(rng: Random) -> bytes:
    """Calls that would run something, states and odd instructions in a row, or such mutated."""
    parts = []
    for _ in range(rng.randint(1, 5)):
        module, name, arguments = rng.choice(_CALLS)
        call = f"c{module}\n{name}\n".encode() + _argument(arguments) + b"R"
        parts.append(
            rng.choice((call, rng.choice(_ODD), call + b"}b", b"}" + _argument("w") + call + b"s"))
        )
    whole = b"\x80\x02" + b"".join(parts) + b"."
    return mutate_bytes(rng, whole) if rng.random() < 0.5 else whole


def _hostile_torch(rng: Random) -> Files:
    """A file of torch whose own pickle is another."""
    whole, out = zipfile.ZipFile(io.BytesIO(saved(STATE))), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for info in whole.infolist():
            is_pickle = info.filename.endswith("data.pkl")
            archive.writestr(info.filename, _hostile_pickle(rng) if is_pickle else whole.read(info))
    return {"a.pth": out.getvalue()}


@cache
def _wholes() -> dict[str, list[Files]]:
    training = {
        "state_dict": STATE,
        "meta": {"iter": 3, "cfg": "model = dict(type='EncoderDecoder')", "seed": np.int64(3)},
        "message_hub": {"log_scalars": {"train/loss": HistoryBuffer([1.0, 2.0], [1, 1])}},
        "optimizer": {"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": []},
    }
    shown = {"StructuredToParameterName@@": {"conv.weight": "conv_0.w_0"}}
    arrays = {name: value.float().numpy() for name, value in STATE.items()} | shown
    return {
        "new": [{"a.pth": saved(training)}, {"a.pth": saved(STATE)}],
        "old": [{"a.pth": saved(training, _use_new_zipfile_serialization=False)}],
        "paddle": [{"a.pdparams": pickle.dumps(arrays, protocol=number)} for number in (2, 4)],
        "safetensors": [{"a.safetensors": safetensors(STATE, {"cfg": "model = dict(type='A')"})}],
    }


def _read_everywhere(folder: Path) -> None:
    """All ways to weights; that of the tools decides."""
    (file,) = folder.iterdir()
    state = read_state_dict(file)
    expect(all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in state.items()), state)
    for value in state.values():
        if value.numel() < 1 << 20:  # more may share one number
            value.clone().float().sum().item()
    if file.suffix != ".pdparams":
        read_checkpoint(file)
        load_from_local(str(file))
    if file.suffix == ".pth" and zipfile.is_zipfile(file):  # has checksums
        expect(not corruption_reason(file), "accepted in spite of", corruption_reason(file))
        expect(
            find_latest_valid_checkpoint(file.parent, ("*.pth",)).path,
            "resuming would pass over it",
        )


def _find_last(folder: Path) -> None:
    expect(find_latest_valid_checkpoint(folder).path is None, "a few bytes taken for a checkpoint")


_PARTS = (
    *("pretrained", "conv51", "gcn", "GCN00", "GCN", "0", "weight", "bias", "bn1", "conv1.0", ""),
    *("head", "gru_module", "bb_0_0", "bb_99999999_1", "_batch_norm", "_mean", "backbone"),
    *("auxlayer", "conv_bn_relu", "_conv", "classifier", "module", "conv6", "\0"),
)


def _draw_names(rng: Random) -> Files:
    """A state dict of names and shapes as another code base might leave them."""
    state = {
        ".".join(rng.choices(_PARTS, k=rng.randint(1, 5))): torch.zeros(
            [rng.randint(0, 3) for _ in range(rng.randint(0, 5))]
        )
        for _ in range(rng.randint(1, 8))
    }
    return {f"{rng.choice(sorted(SOURCES))}.pth": saved(state)}


def _convert(folder: Path) -> None:
    (file,) = folder.iterdir()
    wanted = {"decode_head.conv_seg.weight": torch.zeros(1), "backbone.conv1.weight": torch.ones(2)}
    found, comparison = convert(read_state_dict(file), file.stem, wanted)
    expect(all(found[name].shape == wanted[name].shape for name in found), found)
    expect(str(comparison), "says nothing of", found)


READERS = (
    *(
        Reader(name, one_of(lambda kind=kind: _wholes()[kind]), _read_everywhere, share=share)
        for name, kind, share in (
            ("checkpoint of torch (.pth)", "new", 2),
            ("checkpoint of torch before 1.6", "old", 1),
            (".safetensors", "safetensors", 1),
            (".pdparams", "paddle", 1),
        )
    ),
    Reader("hostile pickle in a .pth", _hostile_torch, _read_everywhere),
    Reader(
        "hostile pickle as .pdparams",
        lambda rng: {"a.pdparams": _hostile_pickle(rng)},
        lambda folder: read_pdparams(folder / "a.pdparams"),
    ),
    Reader("names of another code base", _draw_names, _convert),
    Reader(
        "last_checkpoint",
        one_of(
            lambda: [
                {"last_checkpoint": text, "iter_4.pth": b"a few bytes"}
                for text in (b"/runs/a/iter_4.pth\n", b"iter_4.pth")
            ]
        ),
        _find_last,
    ),
)
