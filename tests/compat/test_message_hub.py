"""The message hub keeps tensors on the device until somebody reads them; values stay the same."""

import pytest
import torch
from mmengine.logging import MessageHub

import glore_seg  # noqa: F401


@pytest.fixture
def hub(request):
    hub = MessageHub.get_instance(request.node.name)
    for step in range(3):
        hub.update_scalar("train/loss", torch.tensor(step / 3), count=2)
        hub.update_scalar("train/time", step / 7)
    return hub


def test_reads_all_values_when_asked(hub):
    assert len(hub._log_scalars["train/loss"].data[0]) == 1
    values, counts = hub.log_scalars["train/loss"].data
    assert values.tolist() == [torch.tensor(step / 3).item() for step in range(3)]
    assert counts.tolist() == [2, 2, 2]
    assert [*hub.log_scalars] == ["train/loss", "train/time"]


def test_reads_a_single_key(hub):
    assert len(hub.get_scalar("train/time").data[0]) == 3
    assert len(hub._log_scalars["train/loss"].data[0]) == 1
    assert len(hub.get_scalar("train/loss").data[0]) == 3
    with pytest.raises(KeyError, match="nothing"):
        hub.get_scalar("nothing")


def test_a_checkpoint_has_all_values(hub):
    assert len(hub.state_dict()["log_scalars"]["train/loss"].data[0]) == 3


def test_a_value_is_that_of_its_time(hub):
    loss = torch.tensor(1.0)
    hub.update_scalar("train/loss", loss)
    loss.zero_()
    assert hub.get_scalar("train/loss").current() == 1
