"""A pickle of arrays is read; anything else in it is refused before it is called."""

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from glore_seg.checkpoints.pdparams import read_pdparams
from glore_seg.errors import CheckpointError
from tests.checkpoints.files import write_pdparams

STATE = {
    "head.classifier.weight": torch.arange(6.0).reshape(2, 3, 1, 1),
    "head.bn._mean": torch.tensor([1.5, -2.0]),
    "count": torch.tensor([7], dtype=torch.int64),
    "empty": torch.zeros(0, 3),
}


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_of_every_protocol(protocol, tmp_path):
    found = read_pdparams(write_pdparams(tmp_path / "a.pdparams", STATE, protocol=protocol))
    assert list(found) == list(STATE)
    for name, value in STATE.items():
        assert found[name].dtype == value.numpy().dtype
        assert np.array_equal(found[name], value.numpy())
        found[name][...] = 0  # its own memory


def test_foreign_byte_order(tmp_path):
    path = tmp_path / "a.pdparams"
    path.write_bytes(pickle.dumps({"w": np.array([1, 2], ">f4")}, protocol=4))
    found = read_pdparams(path)["w"]
    assert found.tolist() == [1, 2]
    assert torch.from_numpy(found).dtype == torch.float32


class Hostile:
    """Its pickle asks the reader to call something."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def hostile_contents(marker: Path) -> dict[str, object]:
    touch = f"open({str(marker)!r}, 'w').close()"
    return {
        "os.system": {"w": Hostile(os.system, f"touch {marker}")},
        "eval": {"w": Hostile(eval, touch)},
        "exec": {"w": Hostile(exec, touch)},
        "getattr": {"w": Hostile(getattr, "text", "format")},
        "np.load": {"w": Hostile(np.load, str(marker))},
        "structure": {"w": np.zeros(2, dtype=[("a", "f4")])},
        "objects": {"w": np.array([{}, []], dtype=object)},
        "type": {"w": Hostile(np.dtype, "O")},
    }


@pytest.mark.parametrize("kind", hostile_contents(Path("x")))
def test_hostile_files_run_no_code(kind, tmp_path):
    marker = tmp_path / "ran"
    path = tmp_path / "a.pdparams"
    path.write_bytes(pickle.dumps(hostile_contents(marker)[kind]))
    with pytest.raises(CheckpointError, match=r"a\.pdparams is not read"):
        read_pdparams(path)
    assert not marker.exists()


def reduce_call(module: str, name: str, args: bytes) -> bytes:
    """The pickle that calls ``module.name`` with arguments that are on the stack."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + args + b"R."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            reduce_call(
                "numpy.core.multiarray",
                "_reconstruct",
                b"cnumpy\nndarray\n(J" + struct.pack("<i", 2**30) + b"tC\x01b\x87",
            ),
            "not read",
        ),
        (
            reduce_call("_codecs", "encode", b"X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86"),
            "not read",
        ),
        (reduce_call("numpy", "frombuffer", b"C\x01b\x85"), r"numpy\.frombuffer"),
        (b"\x80\x04cposix\nsystem\n.", r"posix\.system"),
        (b"not a pickle at all", "not read"),
        (b"", "not read"),
    ],
)
def test_rejects_forged_pickles(content, message, tmp_path):
    path = tmp_path / "a.pdparams"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        read_pdparams(path)


@pytest.mark.parametrize("share", [0.1, 0.99])
def test_rejects_truncated_files(share, tmp_path):
    whole = write_pdparams(tmp_path / "a.pdparams", STATE).read_bytes()
    path = tmp_path / "b.pdparams"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CheckpointError, match=r"b\.pdparams is not read"):
        read_pdparams(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [([1, 2], "holds a list"), ({"w": "text"}, "other than arrays"), ({3: np.ones(1)}, "other")],
)
def test_rejects_other_contents(content, message, tmp_path):
    path = tmp_path / "a.pdparams"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(CheckpointError, match=message):
        read_pdparams(path)
