"""Checkpoints of real Runners load with weights_only=True; hostile ones do not load at all."""

import os
import pickle
import zipfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.evaluator import BaseMetric
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner import CheckpointLoader, Runner
from torch.utils.data import DataLoader, Dataset

from glore_seg import compat

compat.apply()

from glore_seg.compat.checkpoints import (  # noqa: E402
    CheckpointHistoryBuffer,
    PickledOneCycle,
    load_weights,
    restricted_getattr,
)
from glore_seg.errors import CheckpointError, ConfigError  # noqa: E402

POLY = {"type": "PolyLR", "power": 0.9, "eta_min": 1e-4, "begin": 0, "end": 6, "by_epoch": False}
ONE_CYCLE = {"type": "OneCycleLR", "eta_max": 0.05, "total_steps": 6, "by_epoch": False}
ANNEAL_LINEAR = dict(ONE_CYCLE, anneal_strategy="linear")
SGD = {"type": "SGD", "lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4}
ADAMW = {"type": "AdamW", "lr": 0.01}
EMA = [{"type": "EMAHook", "momentum": 0.1}]


class Line(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {"x": torch.tensor([float(index)]), "y": torch.tensor([2.0 * index])}


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x, y, mode="tensor"):
        error = self.linear(x) - y
        return {"loss": error.square().mean()} if mode == "loss" else list(error)


class Error(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += [float(sample.detach().abs()) for sample in data_samples]

    def compute_metrics(self, results):
        return {"error": sum(results) / len(results)}


def train(folder, *, optimizer, scheduler, hooks=(), iterations, resume=None):
    data = Line()
    torch.manual_seed(0)
    runner = Runner(
        model=Model(),
        work_dir=str(folder),
        train_dataloader=DataLoader(data, batch_size=2, sampler=InfiniteSampler(data, seed=0)),
        val_dataloader=DataLoader(data, batch_size=2, sampler=DefaultSampler(data, shuffle=False)),
        train_cfg={"by_epoch": False, "max_iters": iterations, "val_interval": 2},
        val_cfg={},
        val_evaluator=[Error()],
        optim_wrapper={"optimizer": optimizer},
        param_scheduler=dict(scheduler),
        default_hooks={
            "logger": {"type": "LoggerHook", "interval": 1},
            "checkpoint": {
                "type": "CheckpointHook",
                "by_epoch": False,
                "interval": 2,
                "save_best": "error",
                "rule": "less",
            },
        },
        custom_hooks=list(hooks),
        load_from=resume,
        resume=resume is not None,
        log_level="ERROR",
        experiment_name=f"{folder.parent.name}_{folder.name}",
        randomness={"seed": 0},
    )
    runner.train()
    return runner


KINDS = {
    "SGD and poly": {"optimizer": SGD, "scheduler": POLY},
    "AdamW and EMA": {"optimizer": ADAMW, "scheduler": POLY, "hooks": EMA},
    "one cycle": {"optimizer": SGD, "scheduler": ONE_CYCLE},
    "one cycle, linear": {"optimizer": SGD, "scheduler": ANNEAL_LINEAR},
}


@pytest.mark.parametrize("kind", KINDS)
def test_resumes_as_if_uninterrupted(tmp_path, kind):
    whole = train(tmp_path / "whole", **KINDS[kind], iterations=6)
    saved = str(tmp_path / "whole" / "iter_4.pth")
    resumed = train(tmp_path / "part", **KINDS[kind], iterations=6, resume=saved)
    assert resumed.iter == whole.iter == 6
    files = sorted(path.name for path in (tmp_path / "whole").glob("*.pth"))
    assert files[0].startswith("best_")
    assert files[1:] == ["iter_2.pth", "iter_4.pth", "iter_6.pth"]
    for name in files:
        assert "state_dict" in torch.load(tmp_path / "whole" / name, weights_only=True)
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], value, rtol=0, atol=0)
    assert whole.optim_wrapper.get_lr() == resumed.optim_wrapper.get_lr()
    history = resumed.message_hub.log_scalars["train/loss"]
    assert type(history) is HistoryBuffer
    assert len(history.data[0]) == 6
    reference = whole.message_hub.log_scalars["train/loss"]
    assert history.statistics("mean") == reference.statistics("mean")


def test_history_buffer_comes_back_whole(tmp_path):
    buffer = HistoryBuffer([3.0, 1.0, 2.0], [1, 1, 2], max_length=5)
    torch.save(buffer, tmp_path / "history.pth")
    loaded = torch.load(tmp_path / "history.pth", weights_only=True)
    assert type(loaded) is HistoryBuffer
    assert loaded.max_length == 5
    assert [loaded.statistics(name) for name in ("min", "max", "current", "mean")] == [1, 3, 2, 1.5]
    loaded.update(4.0)
    torch.save(loaded, tmp_path / "again.pth")
    assert torch.load(tmp_path / "again.pth", weights_only=True).data[0].tolist() == [3, 1, 2, 4]


def test_admitted_attributes():
    for owner in (HistoryBuffer, CheckpointHistoryBuffer):
        for name in ("min", "max", "current", "mean"):
            assert restricted_getattr(owner, name) is getattr(HistoryBuffer, name)
    for name in ("_annealing_cos", "_annealing_linear"):
        found = restricted_getattr(PickledOneCycle, name)
        assert found is getattr(OneCycleParamScheduler, name)


class Text(str):
    """A string that claims to equal every other."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        return True


@pytest.mark.parametrize(
    "arguments",
    [
        (HistoryBuffer, "__init__"),
        (HistoryBuffer, "__globals__"),
        (HistoryBuffer, "update"),
        (HistoryBuffer, "_statistics_methods"),
        (HistoryBuffer, Text("__globals__")),
        (HistoryBuffer.mean, "__globals__"),
        (HistoryBuffer(), "mean"),
        (OneCycleParamScheduler, "mean"),
        (OneCycleParamScheduler, "__subclasses__"),
        (OneCycleParamScheduler._annealing_cos, "__globals__"),
        (os, "system"),
        (torch, "load"),
        (HistoryBuffer, "mean", None),
        (HistoryBuffer,),
        (),
    ],
)
def test_refused_attributes(arguments):
    with pytest.raises(pickle.UnpicklingError, match=r"asks for getattr.*which is refused"):
        restricted_getattr(*arguments)


class Getattr:
    """Pickles into a chain of getattr calls."""

    def __init__(self, owner, name):
        self.arguments = owner, name

    def __reduce__(self):
        return getattr, self.arguments


needs_context = pytest.mark.skipif(
    not hasattr(torch.serialization, "safe_globals"), reason="torch 2.4 has no such context"
)


class Call:
    """Pickles into a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class State:
    """Pickles into a HistoryBuffer of the given state."""

    def __init__(self, state):
        self.state = state

    def __reduce__(self):
        return HistoryBuffer, (), self.state


def marker(path):
    Path(path).touch()


HOSTILE = {
    "globals of a statistic": lambda _: Getattr(Getattr(HistoryBuffer, "mean"), "__globals__"),
    "globals of a constructor": lambda _: Getattr(
        Getattr(HistoryBuffer, "__init__"), "__globals__"
    ),
    "class of a class": lambda _: Getattr(HistoryBuffer, "__class__"),
    "attribute of a scheduler": lambda _: Getattr(OneCycleParamScheduler, "__subclasses__"),
    "attribute of a tensor": lambda _: Getattr(torch.zeros(1), "__class__"),
    "method that changes a buffer": lambda _: Getattr(HistoryBuffer, "update"),
    "getattr with a default": lambda _: Call(getattr, HistoryBuffer, "mean", None),
    "os.system": lambda made: Call(os.system, f"touch {made}"),
    "function of a module": lambda made: Call(marker, made),
    "eval": lambda made: Call(eval, f"open({made!r}, 'w')"),
    "statistic called": lambda _: Call(HistoryBuffer.mean, 1),
    "statistics replaced": lambda _: State({"statistics_methods": {"mean": torch.Size}}),
    "statistics added": lambda _: State({"statistics_methods": {"evil": torch.device}}),
    "statistics not a dict": lambda _: State({"statistics_methods": 1}),
    "method overridden": lambda _: State({"mean": 1}),
    "table overridden": lambda _: State({"_statistics_methods": {}}),
    "state not a dict": lambda _: State([1]),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("forced", [False, True])
def test_hostile_checkpoints(tmp_path, monkeypatch, kind, forced):
    made, path = tmp_path / "made", str(tmp_path / "hostile.pth")
    statistics = dict(HistoryBuffer._statistics_methods)
    torch.save({"state_dict": HOSTILE[kind](str(made))}, path)
    if forced:  # what torch's default was before 2.6
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(CheckpointError, match=r"hostile.pth is not loaded: it holds"):
        CheckpointLoader.load_checkpoint(path)
    if not forced:
        with pytest.raises(pickle.UnpicklingError):
            torch.load(path, weights_only=True)
    assert not made.exists()
    assert HistoryBuffer._statistics_methods == statistics


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("os.system", r"posix\.system"),
        ("function of a module", r"marker"),
        ("statistics replaced", "brings its own statistic 'mean'"),
    ],
)
def test_the_error_is_one_line_that_names_what_is_refused(tmp_path, kind, named):
    torch.save(HOSTILE[kind]("made"), tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=rf"a\.pth .*{named}") as caught:
        load_weights(tmp_path / "a.pth")
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value)


@needs_context
def test_registered_statistic_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(HistoryBuffer, "_statistics_methods", {})
    HistoryBuffer.register_statistics(last_but_one)
    torch.save(HistoryBuffer([1.0, 2.0], [1, 1]), tmp_path / "history.pth")
    with torch.serialization.safe_globals([last_but_one]):
        loaded = torch.load(tmp_path / "history.pth", weights_only=True)
        assert loaded.statistics("last_but_one") == 1.0
        del HistoryBuffer._statistics_methods["last_but_one"]
        with pytest.raises(pickle.UnpicklingError, match="brings its own statistic 'last_but_one'"):
            torch.load(tmp_path / "history.pth", weights_only=True)


def last_but_one(buffer):
    return buffer.data[0][-2]


@needs_context
def test_survives_the_context_of_another(tmp_path):
    """Leaving safe_globals() takes entries away that were there before it was entered."""
    torch.save(HistoryBuffer([1.0], [1]), tmp_path / "history.pth")
    with torch.serialization.safe_globals([np.ndarray, np.dtype]):
        pass
    assert load_weights(tmp_path / "history.pth").current() == 1.0


def test_weights_only_false_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="weights_only=False would run code from the checkpoint"):
        load_weights(tmp_path / "any.pth", weights_only=False)


def test_safetensors_go_through_mmengines_loader(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    path = tmp_path / "a.safetensors"
    safetensors.save_file({"linear.bias": torch.ones(1)}, path, metadata={"cfg": "a = 1"})
    found = CheckpointLoader.load_checkpoint(str(path))
    assert found == {"state_dict": {"linear.bias": torch.ones(1)}, "meta": {"cfg": "a = 1"}}
    path.write_bytes(b"12345678")
    with pytest.raises(CheckpointError, match=r"a\.safetensors"):
        CheckpointLoader.load_checkpoint(str(path))


@pytest.mark.parametrize("zipped", [True, False])
def test_damaged_files_are_refused_by_name(tmp_path, zipped):
    """torch itself raises whatever it stumbles over: struct.error, KeyError, EOFError, ..."""
    path = tmp_path / "damaged.pth"
    state = {"state_dict": {"a": torch.rand(4, 4)}, "meta": {"iter": 3}}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    messages = []
    for _ in range(150):
        damaged = bytearray(whole[: random.integers(1, len(whole) + 1)])
        damaged[random.integers(len(damaged))] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        try:
            load_weights(path)
        except CheckpointError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert all(str(path) in message for message in messages)


@pytest.mark.parametrize(
    "content",
    # The last one, of old torch, asks for all memory.
    [None, b"", b"junk", b"\x00" * 100, b"\x80\x02B\xff\xff\xff\x7f."],
)
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path, content):
    path = tmp_path / "junk.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"junk\.pth"):
        CheckpointLoader.load_checkpoint(str(path))


def test_changed_weights_are_not_taken_for_good(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"w": torch.full((8,), 1.5)}, path)
    assert load_weights(path)["w"].sum() == 12
    old, new = (np.full(8, value, np.float32).tobytes() for value in (1.5, 1.25))
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))  # under the checksum that it had
    for name in (path, str(path)):
        with pytest.raises(CheckpointError, match=r"a\.pth .*: it is corrupted \(the checksum"):
            load_weights(name)


def test_parts_that_would_unpack_to_any_size_are_not_unpacked(tmp_path):
    torch.save({"w": torch.zeros(1 << 20)}, tmp_path / "a.pth")
    with (
        zipfile.ZipFile(tmp_path / "a.pth") as whole,
        zipfile.ZipFile(tmp_path / "b.pth", "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for info in whole.infolist():
            archive.writestr(info.filename, whole.read(info))
    with pytest.raises(CheckpointError, match=r"b\.pth .* is compressed, as torch writes"):
        load_weights(tmp_path / "b.pth")


@pytest.mark.parametrize("address", ["https://nowhere.invalid/a.pth", "open-mmlab://resnet50_v1c"])
def test_an_address_without_a_network(tmp_path, monkeypatch, address):
    def refuse(*args, **kwargs):
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("torch.hub.urlopen", refuse)
    with pytest.raises(CheckpointError, match="Name or service not known") as error:
        CheckpointLoader.load_checkpoint(address)
    assert str(tmp_path / "hub" / "checkpoints") in str(error.value)
    assert "https://" in str(error.value)
