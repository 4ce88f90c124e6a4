"""A device is there, or the error names it."""

import pytest
import torch

from glore_seg.utils.devices import named_device, usable_device


def test_a_device_that_works():
    assert usable_device("cpu") == usable_device(torch.device("cpu")) == torch.device("cpu")
    assert named_device("cuda:1") == torch.device("cuda", 1)


@pytest.mark.parametrize("name", ["foo", "cuda:99"])
def test_one_that_does_not(name):
    with pytest.raises(ValueError, match=rf"device is '{name}', which torch cannot use here \("):
        usable_device(name)
