"""Layers that do not fit are named, with what they were given."""

import re
from functools import partial

import pytest
import torch
from torch import nn

from glore_seg.cli import run_tool
from glore_seg.engine import build_runner, network_errors
from glore_seg.engine.network_errors import explain_network_error


class OfTheUser(nn.Module):
    def forward(self, x):
        return nn.functional.linear(x, x.new_zeros(3, 7))


class OfACompiler(RuntimeError):
    pass


OfACompiler.__module__ = "torch._dynamo.exc"


class Raising(nn.Module):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


def error_of(call):
    with pytest.raises(Exception) as raised:  # noqa: PT011  each test looks at it
        call()
    return raised.value


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (
            "in_channels",
            3,
            r"error: the network fails in decode_head\.convs\.0\.conv \(Conv2d\), given "
            r"\d x \d+ x \d+ x \d+ \(RuntimeError: .* to have 3 channels, but got .*; at "
            r"nn/modules/conv\.py:\d+\); expected layers that fit .*in_channels",
        ),
        ("in_index", 9, r"error: the network fails in decode_head \(GloReHead\) \(IndexError: "),
        (
            "loss_decode",
            {"type": "CrossEntropyLoss", "class_weight": [1.0, 2.0]},
            r"error: .* in decode_head\.loss_decode \(CrossEntropyLoss\), given \d x 19 x .* and ",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_one_line(
    small_cfg, tmp_path, capsys, option, value, message
):
    small_cfg.work_dir = str(tmp_path)
    small_cfg.experiment_name = small_cfg.visualizer.name = option
    small_cfg.model.decode_head[option] = value
    runner = build_runner(small_cfg)
    with pytest.raises(SystemExit) as left:
        run_tool(runner.train)
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert re.match(message, said.splitlines()[-1]), said
    assert "Traceback" not in said


def test_names_are_without_the_wrapper():
    network = nn.DataParallel(nn.Sequential(nn.ReLU(), nn.Linear(3, 4)), device_ids=[])
    explained = explain_network_error(error_of(lambda: network(torch.zeros(2, 5))))
    assert explained.startswith("the network fails in 1 (Linear), given 2 x 5 (RuntimeError: mat1")


def test_code_of_the_user_keeps_its_traceback():
    network = nn.Sequential(OfTheUser())
    assert explain_network_error(error_of(lambda: network(torch.zeros(2, 5)))) is None


def test_what_is_no_layers_fault_keeps_its_traceback(monkeypatch):
    assert explain_network_error(error_of(lambda: torch.zeros(2) + torch.zeros(3))) is None
    monkeypatch.setattr(network_errors, "is_installed", lambda file: True)
    assert explain_network_error(error_of(lambda: Raising(RuntimeError("a"))(0))) is not None
    for error in (OfACompiler("graph break"), KeyError("a"), AttributeError("b")):
        assert explain_network_error(error_of(partial(Raising(error), 0))) is None


def test_too_little_memory():
    error = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore")
    assert explain_network_error(error) == (
        "out of the device's memory (CUDA out of memory. Tried to allocate 2.00 GiB. More): set "
        "train_dataloader.batch_size or the crop's size lower, use --amp, or test with "
        "model.test_cfg.mode='slide'"
    )
