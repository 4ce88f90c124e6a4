"""Pretrained weights that can't be had are named, and a training that goes on needs none."""

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.registry import MODELS

from glore_seg.engine import build_runner
from glore_seg.engine.starting_weights import guard_starting_weights
from glore_seg.errors import GloReSegError
from tests.engine.toy import ToyModel, config


@MODELS.register_module()
class ToyModelWithWeights(ToyModel):
    """Has a part that loads weights, from an address in the config or one of its own."""

    def __init__(self, part=None):
        super().__init__()
        init_cfg = {"type": "Pretrained", "checkpoint": "inner.pth"} if part is None else part
        self.part = BaseModule(init_cfg=init_cfg)


def runner_of(work_dir, /, **changes):
    changes = {"model__type": "ToyModelWithWeights", **changes}
    return build_runner(config(work_dir, train_cfg__max_iters=4, **changes))


@pytest.mark.parametrize("address", ["nowhere.pth", "http://127.0.0.1:1/weights.pth"])
def test_the_address_and_its_key_are_named(address, tmp_path):
    runner = runner_of(tmp_path, model__part={"type": "Pretrained", "checkpoint": address})
    message = (
        rf"cannot get the pretrained weights '{address}' .*"
        r"model\.part\.checkpoint=/path/to/weights\.pth.* model\.part=None"
    )
    with pytest.raises(OSError, match=message):
        runner.train()


def test_an_address_in_no_config(tmp_path):
    with pytest.raises(OSError, match=r"'inner\.pth' .*give the path of a file in the config"):
        runner_of(tmp_path).train()


def test_other_errors_stay_as_they_are(tmp_path):
    runner = runner_of(tmp_path)
    runner.model.init_weights = lambda: (tmp_path / "nowhere").read_bytes()
    with pytest.raises(GloReSegError, match=r"^\[Errno 2\]"):
        runner.train()
    guard_starting_weights(object(), Config())  # a runner that initializes otherwise


def test_resuming_needs_no_pretrained_weights_and_ends_bit_for_bit_the_same(tmp_path):
    torch.save({"x": torch.zeros(())}, tmp_path / "start.pth")
    part = {"type": "Pretrained", "checkpoint": str(tmp_path / "start.pth")}
    options = {"model__part": part, "default_hooks__checkpoint__max_keep_ckpts": -1}
    whole = runner_of(tmp_path / "whole", **options)
    whole.train()
    (tmp_path / "start.pth").unlink()
    half = str(tmp_path / "whole" / "iter_2.pth")
    resumed = runner_of(tmp_path / "resumed", resume=True, load_from=half, **options)
    resumed.train()
    for name, value in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], value), name
    with pytest.raises(OSError, match="cannot get the pretrained weights"):  # nothing to resume
        runner_of(tmp_path / "empty", resume=True, **options).train()
