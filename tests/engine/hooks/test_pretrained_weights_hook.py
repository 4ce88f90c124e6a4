"""Missing pretrained weights are refused before a training; a resumed training needs none."""

import re

import pytest
import torch
from mmengine.model import BaseModule
from mmengine.registry import MODELS

from glore_seg.engine import build_runner
from glore_seg.errors import CheckpointError
from tests.engine.toy import ToyModel, config


@MODELS.register_module()
class ToyModelWithWeights(ToyModel):
    """Has a part with pretrained weights, from the config or its own."""

    def __init__(self, part=None):
        super().__init__()
        own = {"type": "Pretrained", "checkpoint": "inner.pth"}
        self.part = BaseModule(init_cfg=own if part is None else part)


def runner_of(work_dir, /, **changes):
    changes = {"model__type": "ToyModelWithWeights", **changes}
    return build_runner(config(work_dir, train_cfg__max_iters=4, **changes))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"type": "Pretrained", "checkpoint": "nowhere.pth"},
            "'nowhere.pth' .*model.part.checkpoint=/path/to/weights.pth.* model.part=None",
        ),
        (None, r"'inner\.pth'"),  # in no config
    ],
)
def test_a_missing_file_is_named_with_its_key(tmp_path, part, message):
    with pytest.raises(CheckpointError, match=message):
        runner_of(tmp_path, model__part=part).train()


def test_a_missing_file_of_a_stock_network(small_cfg, tmp_path):
    small_cfg.work_dir = str(tmp_path)
    small_cfg.experiment_name = small_cfg.visualizer.name = "stock"
    own = ("variant", "num_units", "unit_cfg")
    backbone = {key: value for key, value in small_cfg.model.backbone.items() if key not in own}
    small_cfg.model.backbone = {**backbone, "type": "ResNet"}
    small_cfg.model.pretrained = "nowhere.pth"
    with pytest.raises(CheckpointError, match=re.escape("model.pretrained=/path")):
        build_runner(small_cfg).train()


def test_an_address_that_does_not_answer(tmp_path):
    part = {"type": "Pretrained", "checkpoint": "http://127.0.0.1:1/weights.pth"}
    with pytest.raises(CheckpointError, match="Connection refused"):
        runner_of(tmp_path, model__part=part).train()


def test_resuming_needs_no_pretrained_weights_and_is_bit_exact(tmp_path):
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
    with pytest.raises(CheckpointError, match=r"start\.pth"):  # nothing to resume
        runner_of(tmp_path / "empty", resume=True, **options).train()
