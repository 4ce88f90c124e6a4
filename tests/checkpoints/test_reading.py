"""Files are read by their ending; corrupted and hostile ones are refused."""

import pickle

import pytest
import torch

from glore_seg.checkpoints import read_state_dict, write_state_dict
from glore_seg.errors import CheckpointError, OutputError
from tests.checkpoints.files import write_pdparams

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
