"""Losses that are not finite, damaged files, dying workers, and options out of range."""

import gc
import json
import math
import re
from itertools import islice

import pytest
import torch
from mmcv.transforms import LoadImageFromFile, Resize
from mmengine.dataset import BaseDataset, InfiniteSampler
from mmengine.hooks import Hook
from PIL import Image

from glore_seg.checkpoints.latest import find_latest_valid_checkpoint
from glore_seg.engine.corrupted_samples import DataFaults, death_of_worker
from glore_seg.engine.per_sample_seed_dataset import CollateLoaded, PerSampleSeedDataset
from glore_seg.engine.samplers import SeededIndex
from glore_seg.errors import GloReSegError
from tests.engine.toy import LENGTH, config, train

NUMBERS = re.compile(r"toys/(\d)\.png")


@pytest.fixture(autouse=True)
def forget_dead_workers():
    """While a loader with a dead worker is held, torch raises at the end of any other process."""
    yield
    gc.collect()


class Weights(Hook):
    """Keeps the weights before and after each iteration."""

    def __init__(self):
        self.before, self.after, self.losses = [], [], []

    def before_train_iter(self, runner, **kwargs):
        self.before.append({k: v.clone() for k, v in runner.model.state_dict().items()})

    def after_train_iter(self, runner, outputs=None, **kwargs):
        self.after.append({k: v.clone() for k, v in runner.model.state_dict().items()})
        self.losses.append(float(outputs["loss"]))


def test_a_loss_of_nan_stops_and_names_the_images(tmp_path):
    with pytest.raises(ValueError, match=r"the loss is nan at iteration \d+: toys/") as error:
        train(config(tmp_path, train_dataloader__dataset__nan=[5]))
    names = NUMBERS.findall(str(error.value))
    assert len(names) == 3
    assert "5" in names
    assert "train_cfg.nonfinite_loss='skip'" in str(error.value)


@pytest.mark.parametrize("by_epoch", [False, True])
def test_a_step_with_nan_is_left_out(tmp_path, by_epoch):
    hook = Weights()
    options = {"train_dataloader__dataset__nan": [5], "train_cfg__nonfinite_loss": "skip"}
    runner = train(config(tmp_path, by_epoch=by_epoch, **options), hook)
    assert runner.iter == 12
    skipped = [i for i, loss in enumerate(hook.losses) if not math.isfinite(loss)]
    assert 3 <= len(skipped) <= 6
    for i, (before, after) in enumerate(zip(hook.before, hook.after, strict=True)):
        same = all(torch.equal(before[name], after[name]) for name in before)
        assert same == (i in skipped)
        assert all(value.isfinite().all() for value in after.values())
    assert "update_params" not in vars(runner.optim_wrapper)


@pytest.mark.parametrize(("fault", "error"), [("nan", ValueError), ("deadly", ChildProcessError)])
def test_what_is_left_behind_is_whole_and_goes_on(tmp_path, fault, error):
    """A loss of nan in the third iteration, and a worker that dies over the same image."""
    sampler = InfiniteSampler(range(LENGTH), seed=3)
    bad = list(islice(sampler, 7))[-1]
    options = {"train_dataloader__num_workers": 1, "work_dir": str(tmp_path / "run")}
    wrong = {f"train_dataloader__dataset__{fault}": [bad]}
    with pytest.raises(error, match=rf"toys/{bad}\.png"):
        train(config(tmp_path / "first", **options, **wrong))
    gc.collect()  # the loader with the dead worker
    search = find_latest_valid_checkpoint(tmp_path / "run")
    assert search.damaged == ()
    if fault == "nan":  # a worker is ahead by a batch or two: it may die before anything is saved
        assert search.good == tmp_path / "run" / "iter_2.pth"
        weights = torch.load(search.good, weights_only=False)["state_dict"]
        assert all(value.isfinite().all() for value in weights.values())
    assert not list((tmp_path / "run").glob(".*"))
    assert train(config(tmp_path / "again", resume=True, **options)).iter == 12


def test_ten_in_a_row_stop(tmp_path):
    options = {"train_dataloader__dataset__nan": list(range(8))}
    with pytest.raises(ValueError, match=r"at iteration 10: .* and so were the 9 losses before"):
        train(config(tmp_path, train_cfg__nonfinite_loss="skip", **options))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_damaged_file_is_named(tmp_path, workers):
    options = {"train_dataloader__num_workers": workers}
    message = r"^toys/5.png cannot be read as an image: get it again, at engine/long_runs/toy.py:"
    message += r"\d+. 1 of 8 samples are damaged; "
    message += r"expected 0 at most \(train_cfg.max_corrupted_share=0\)"
    with pytest.raises(ValueError, match=message):
        train(config(tmp_path, train_dataloader__dataset__damaged=[5], **options))


def test_damaged_files_are_replaced_up_to_a_share(tmp_path, capfd):
    options = {"train_dataloader__dataset__damaged": [5, 6], "train_cfg__max_damaged_share": 0.25}
    cfg = config(tmp_path, **options)
    cfg.log_level = "WARNING"
    runner = train(cfg)
    said = "".join(capfd.readouterr())
    assert len(re.findall(r"toys/5.png cannot be read .*:\d+; the next sample", said)) == 1
    assert "(2 of 2 that may be damaged)" in said
    assert sorted(runner.message_hub.get_info("damaged_files")) == ["toys/5.png", "toys/6.png"]
    with pytest.raises(ValueError, match=r"3 of 8 samples are damaged; expected 2 at most"):
        train(
            config(tmp_path / "b", **{**options, "train_dataloader__dataset__damaged": [1, 2, 3]})
        )


def test_a_pipeline_that_does_not_fit_is_no_damage(tmp_path):
    """It stops although half of the files may be damaged, and names the step."""
    image, listed = tmp_path / "a.png", tmp_path / "list.json"
    Image.new("RGB", (8, 6)).save(image)
    listed.write_text(json.dumps({"metainfo": {}, "data_list": [{"img_path": str(image)}] * 2}))
    host = BaseDataset(str(listed), pipeline=[LoadImageFromFile(), Resize(scale=(0, 0))])
    data = PerSampleSeedDataset(host, replace_corrupted=True, num_workers=0)
    batch = CollateLoaded(list)([data[SeededIndex(0)]])
    assert [fault.is_damage for fault in batch.damaged] == [False]
    message = (
        rf"^Resize of train_dataloader\.dataset\.pipeline fails on {image} \(error: .*; at "
        r"\S+\.py:\d+\); expected settings that fit the data: correct the config, or get .* alone "
    )
    with pytest.raises(ValueError, match=message):
        DataFaults(None, data, 0.5).check(batch)


def test_a_worker_that_dies_names_its_file(tmp_path):
    options = {"train_dataloader__num_workers": 2, "train_dataloader__dataset__deadly": [5]}
    message = r"data worker \d+ died while it read toys/5.png .*num_workers lower"
    with pytest.raises(GloReSegError, match=message):
        train(config(tmp_path, **options))


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("nonfinite_loss", "go on", r"'go on'; expected one of \('stop', 'skip'\)"),
        ("max_corrupted_share", 1.0, r"1.0; expected 0 to below 1"),
        ("grace_s", 0, r"grace_s is 0; expected seconds, more than 0"),
    ],
)
def test_options_out_of_range(tmp_path, option, value, message):
    with pytest.raises(ValueError, match=message):
        train(config(tmp_path, **{f"train_cfg__{option}": value}))


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), EOFError()])
def test_a_broken_connection_is_asked_for_its_worker(monkeypatch, error):
    """A worker that dies while it hands over a batch."""

    def ask():
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed.")

    monkeypatch.setattr(torch._C, "_error_if_any_worker_fails", ask)
    pid, said = death_of_worker(error)
    assert (pid, str(said)) == (7, "DataLoader worker (pid 7) is killed by signal: Killed.")


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), RuntimeError("of torch")])
def test_other_errors_are_no_death(error):
    assert death_of_worker(error) is None
