"""What older releases of torch lack: refused by its name, or made up for."""

import pickle

import pytest
import torch

from glore_seg.compat import torch_api
from glore_seg.errors import MissingDependencyError


def test_what_needs_a_newer_torch_names_both_versions():
    torch_api.require_torch("export", torch_api.TORCH)
    with pytest.raises(
        MissingDependencyError, match=r"^export needs torch >= 99\.0, but torch "
    ) as caught:
        torch_api.require_torch("export", (99, 0))
    assert torch.__version__ in str(caught.value)


def halved(x):
    """Stand for another function of that name."""
    return ["stand-in", x]


class Calls:
    """Pickles into ``glore_seg_tests.halved(3)``."""

    def __reduce__(self):
        return halved, (3,)


def test_pairs_of_object_and_name(tmp_path, monkeypatch):
    torch.save(Calls(), tmp_path / "calls.pth")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "calls.pth", weights_only=True)
    torch_api.add_safe_globals([(lambda x: ["stand-in", x + 1], f"{__name__}.halved")])
    assert torch.load(tmp_path / "calls.pth", weights_only=True) == ["stand-in", 4]
