"""Files are read by their ending; corrupted and hostile ones are refused.

Hostile arrays are those of tests/compat/test_array_pickles.py.
"""

import errno
import os
import pickle

import numpy as np
import pytest
import torch

from glore_seg.checkpoints import read_state_dict, write_state_dict
from glore_seg.checkpoints.files import read_pdparams
from glore_seg.errors import CheckpointError, OutputError
from tests.checkpoints.files import write_pdparams
from tests.disks import fill, make_read_only, small_disk

STATE = {"conv.weight": torch.arange(6.0).reshape(2, 3), "bn.running_mean": torch.tensor([1.0])}


def same(found, expected=STATE):
    assert list(found) == list(expected)
    assert all(found[name].dtype == value.dtype for name, value in expected.items())
    return all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("nest", [None, "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_torch_files(nest, prefix, tmp_path):
    state = {f"{prefix}{name}": value for name, value in STATE.items()}
    torch.save(state if nest is None else {nest: state, "epoch": 3}, tmp_path / "a.pth")
    assert same(read_state_dict(tmp_path / "a.pth"))


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors"])
def test_round_trip(ending, tmp_path):
    if ending == ".safetensors":
        pytest.importorskip("safetensors", reason="pip install 'glore_seg[hub]'")
    path = tmp_path / f"a{ending}"
    shared = {**STATE, "alias": STATE["conv.weight"], "view": STATE["conv.weight"].T}
    write_state_dict(path, shared, meta={"source": "here"})
    found = read_state_dict(path)
    assert same({name: found[name] for name in shared}, shared)
    with pytest.raises(OutputError, match="exists"):
        write_state_dict(path, STATE)
    write_state_dict(path, STATE, overwrite=True)
    assert same(dict(sorted(read_state_dict(path).items(), reverse=True)))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_paddle(tmp_path):
    values = torch.tensor([1.0, -2.5, 3e5]).bfloat16()
    stored = values.view(torch.int16).numpy().view("uint16")  # as PaddlePaddle has it
    path = tmp_path / "a.pdparams"
    path.write_bytes(pickle.dumps({"w": stored, "b": STATE["conv.weight"].numpy()}, protocol=4))
    assert same(read_state_dict(path), {"w": values, "b": STATE["conv.weight"]})


def test_keeps_a_module_named_module(tmp_path):
    state = {"module.a": torch.ones(1), "a": torch.zeros(1)}
    torch.save(state, tmp_path / "a.pth")
    assert same(read_state_dict(tmp_path / "a.pth"), state)


@pytest.mark.parametrize("ending", [".pth", ".pdparams", ".safetensors"])
@pytest.mark.parametrize("share", [0, 0.8])
def test_truncated_files(ending, share, tmp_path):
    if ending == ".safetensors":
        pytest.importorskip("safetensors", reason="pip install 'glore_seg[hub]'")
    path = tmp_path / f"a{ending}"
    if ending == ".pdparams":
        write_pdparams(path, STATE)
    else:
        write_state_dict(path, STATE)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=rf"a\{ending}"):
        read_state_dict(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.ones(1)], "holds a list; expected names and tensors"),
        ({}, "holds a dict; expected names and tensors"),
        ({"epoch": 3, "w": torch.ones(1)}, r"other than tensors under \['epoch'\]"),
    ],
)
def test_other_contents(content, message, tmp_path):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=message):
        read_state_dict(tmp_path / "a.pth")


def test_missing_file_and_unknown_ending(tmp_path):
    with pytest.raises(CheckpointError, match=r"checkpoint .*nowhere\.pth does not exist"):
        read_state_dict(tmp_path / "nowhere.pth")
    with pytest.raises(CheckpointError, match=r"ends in '\.onnx'; expected one of"):
        write_state_dict(tmp_path / "a.onnx", STATE)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_earlier_weights_are_unchanged(tmp_path, name):
    state = {"weight": torch.arange(20_000.0)}
    with small_disk(tmp_path / "disk", "200k") as disk:
        write_state_dict(disk / name, state)
        before = (disk / name).read_bytes()
        fill(disk, leave=40_000)
        with pytest.raises(OSError, match=rf"cannot write {disk / name} .*: make room") as error:
            write_state_dict(disk / name, state, overwrite=True)
        assert error.value.errno == errno.ENOSPC
        assert {path.name for path in disk.iterdir()} == {"filler", name}
        make_read_only(disk)
        with pytest.raises(OSError, match=r"\(Read-only file system\): make room or give write"):
            write_state_dict(disk / name, state, overwrite=True)
        assert (disk / name).read_bytes() == before


ARRAYS = {
    "head.classifier.weight": torch.arange(6.0).reshape(2, 3, 1, 1),
    "count": torch.tensor([7], dtype=torch.int64),
    "empty": torch.zeros(0, 3),
}


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_of_every_protocol(protocol, tmp_path):
    found = read_pdparams(write_pdparams(tmp_path / "a.pdparams", ARRAYS, protocol=protocol))
    assert list(found) == list(ARRAYS)
    for name, value in ARRAYS.items():
        assert found[name].dtype == value.numpy().dtype
        assert np.array_equal(found[name], value.numpy())
        found[name][...] = 0  # its own memory


class Hostile:
    """Its pickle asks the reader to call something."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"w": Hostile(os.mkdir, "ran")}, r"posix\.mkdir"),
        ({"w": Hostile(getattr, "text", "format")}, "getattr"),
        ({"w": np.array([{}, []], dtype=object)}, "not read"),
        (b"not a pickle at all", "not read"),
        (b"", "not read"),
        ([1, 2], "holds a list"),
        ({"w": "text"}, "other than arrays"),
        ({3: np.ones(1)}, "other than arrays"),
        ({"model": {"w": np.ones(1)}, "epoch": 1}, r"other than arrays.*paddle\.load"),
        ({"model": {"w": Hostile(tuple, ("w", np.ones(1)))}}, r"tuple.*paddle\.load"),
        ({"UnpackBigParamInfor@@": {"w": {"slices": ["w@@.0"]}}}, r"Unpack.*paddle\.load"),
    ],
)
def test_everything_else_is_refused_and_not_run(content, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pdparams"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=4))
    with pytest.raises(CheckpointError, match=rf"a\.pdparams .*{message}"):
        read_pdparams(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.pdparams"]
