"""Losses that are not finite stop or skip a step, and the check never waits for the device."""

import math
import re
from itertools import pairwise

import pytest
import torch
from mmengine.hooks import Hook
from torch.utils._python_dispatch import TorchDispatchMode

from glore_seg.checkpoints.latest import find_latest_valid_checkpoint
from glore_seg.engine.nonfinite_loss import NonFiniteLossError, _HostFlag
from glore_seg.errors import ConfigError
from tests.engine.toy import config, train

NAMES = re.compile(r"toys/(\d)\.png")


class Weights(Hook):
    """Keeps the weights before and after each iteration."""

    def __init__(self):
        self.before, self.after, self.losses = [], [], []

    def before_train_iter(self, runner, **kwargs):
        self.before.append({k: v.clone() for k, v in runner.model.state_dict().items()})

    def after_train_iter(self, runner, outputs=None, **kwargs):
        self.after.append({k: v.clone() for k, v in runner.model.state_dict().items()})
        self.losses.append(outputs["loss"].item())


def test_stops_and_names_the_images(tmp_path):
    options = {"train_dataloader__dataset__nan": [5], "default_hooks__checkpoint__interval": 1}
    with pytest.raises(NonFiniteLossError, match="nonfinite_loss='skip'") as error:
        train(config(tmp_path, **options))
    names = NAMES.findall(str(error.value))
    assert len(names) == 3
    assert "5" in names
    latest = find_latest_valid_checkpoint(tmp_path).path
    weights = torch.load(latest, weights_only=False)["state_dict"]
    assert all(value.isfinite().all() for value in weights.values())


SKIP = {"train_dataloader__dataset__nan": [5], "train_cfg__nonfinite_loss": "skip"}


@pytest.mark.parametrize("by_epoch", [False, True])
def test_skips_a_step(tmp_path, by_epoch):
    hook = Weights()
    runner = train(config(tmp_path, by_epoch=by_epoch, **SKIP), hook)
    assert runner.iter == 12
    skipped = [i for i, loss in enumerate(hook.losses) if not math.isfinite(loss)]
    assert 3 <= len(skipped) <= 6
    for i, (before, after) in enumerate(zip(hook.before, hook.after, strict=True)):
        same = all(torch.equal(before[name], after[name]) for name in before)
        assert same == (i in skipped)
        assert all(value.isfinite().all() for value in after.values())
    steps = {int(state["step"]) for state in runner.optim_wrapper.optimizer.state.values()}
    assert steps == {12 - len(skipped)}
    assert not {"backward", "should_update"} & vars(runner.optim_wrapper).keys()


def test_skips_the_gradients_of_an_accumulated_step(tmp_path):
    hook = Weights()
    train(config(tmp_path, optim_wrapper__accumulative_counts=2, **SKIP), hook)
    assert any(not math.isfinite(loss) for loss in hook.losses)
    assert all(value.isfinite().all() for after in hook.after for value in after.values())


def test_ten_in_a_row_stop(tmp_path):
    options = {**SKIP, "train_dataloader__dataset__nan": list(range(8))}
    with pytest.raises(NonFiniteLossError, match=r"at iteration 10 .* 9 losses before"):
        train(config(tmp_path, **options))


def test_rejects_an_unknown_action(tmp_path):
    with pytest.raises(ConfigError, match="'go on'"):
        train(config(tmp_path, train_cfg__nonfinite_loss="go on"))


class Synchronizations(TorchDispatchMode):
    """Counts what makes the host wait for a device: a number that it asks for."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function is torch.ops.aten._local_scalar_dense.default
        return function(*args, **(kwargs or {}))


class PerIteration(Hook):
    """Counts from one iteration's batch to the next one's."""

    priority = "VERY_HIGH"

    def __init__(self, mode):
        self.mode, self.marks = mode, []

    def before_train_iter(self, runner, **kwargs):
        self.marks.append(self.mode.count)


@pytest.mark.parametrize("action", ["stop", "skip"])
def test_an_iteration_does_not_wait_for_the_device(tmp_path, action):
    """But in the first one and in those that log, at 4 and 8, and at 3, a pass over the data.

    Without what waits upstream: Adam on the CPU, and the moving average of mmengine.
    """
    options = {"custom_hooks": [], "optim_wrapper__optimizer": {"type": "SGD", "lr": 0.01}}
    cfg = config(tmp_path, train_cfg__nonfinite_loss=action, **options)
    cfg.default_hooks.logger = {"type": "LoggerHook", "interval": 4}
    cfg.default_hooks.checkpoint.interval = 100
    cfg.train_cfg.val_begin = 100
    cfg.default_hooks.checkpoint.save_best = None
    with Synchronizations() as mode:
        hook = PerIteration(mode)
        train(cfg, hook)
    waits = [after - before for before, after in pairwise(hook.marks)]
    assert {i for i, count in enumerate(waits, 1) if count} <= {1, 3, 4, 8}, waits


def test_a_device_without_numpy_is_read_by_the_host():
    """As Apple's GPUs, whose tensors have to be copied first."""

    class OnDevice:
        is_cuda = False

        def cpu(self):
            return torch.tensor(True)

    assert _HostFlag(OnDevice()).read() is True
