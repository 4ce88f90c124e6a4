"""A pickle of arrays is read; anything else in it is refused before it is called.

Hostile arrays are those of tests/compat/test_array_pickles.py.
"""

import os
import pickle

import numpy as np
import pytest
import torch

from glore_seg.checkpoints.files import read_pdparams
from glore_seg.errors import CheckpointError
from tests.checkpoints.files import write_pdparams

STATE = {
    "head.classifier.weight": torch.arange(6.0).reshape(2, 3, 1, 1),
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
