"""Corrupted samples are named or replaced, and each sample has its own random numbers."""

import pickle
import re

import pytest
import torch

from glore_seg.engine.per_sample_seed_dataset import PerSampleSeedDataset
from glore_seg.engine.samplers import SeededIndex
from glore_seg.errors import ConfigError, DataError
from tests.engine.toy import ToyData, config, train


def wrapped(share=0.0, **options):
    return PerSampleSeedDataset(ToyData(**options), max_corrupted_share=share)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_corrupted_file_is_named(tmp_path, workers):
    options = {"train_dataloader__num_workers": workers}
    message = r"toys/5\.png cannot be read as an image\. 1 of 8 .*max_corrupted_share=0\)"
    with pytest.raises(DataError, match=message):
        train(config(tmp_path, train_dataloader__dataset__corrupted=[5], **options))


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_corrupted_files_are_replaced_up_to_a_share(tmp_path, capfd, workers):
    data = "train_dataloader__dataset__corrupted"
    options = {"train_dataloader__num_workers": workers, "train_cfg__max_corrupted_share": 0.25}
    cfg = config(tmp_path, **{data: [5, 6]}, **options)
    cfg.log_level = "WARNING"
    assert train(cfg).iter == 12
    said = "".join(capfd.readouterr())
    assert len(re.findall(r"toys/5\.png cannot be read.* The next sample replaces it", said)) == 1
    assert "(2 of at most 2 corrupted)" in said
    with pytest.raises(DataError, match=r"3 of 8 samples are corrupted; expected at most 2"):
        train(config(tmp_path / "b", **{data: [1, 2, 3]}, **options))


def test_the_next_sample_replaces_a_corrupted_one():
    data = wrapped(0.5, corrupted=[7, 0])
    found, wanted = (data[SeededIndex(index, 3)]["inputs"] for index in (7, 1))
    assert torch.equal(found, wanted)


@pytest.mark.parametrize("error", [TypeError, DataError])
def test_other_errors_are_not_replaced(error):
    class Wrong(ToyData):
        def __getitem__(self, index):
            raise error("mine")

    with pytest.raises(error, match="mine"):
        PerSampleSeedDataset(Wrong(), max_corrupted_share=0.9)[SeededIndex(0)]


def test_samples_depend_on_their_seed_only():
    data = wrapped()
    one, again, other = (data[SeededIndex(2, seed)]["inputs"] for seed in (5, 5, 6))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_all_else_is_that_of_the_wrapped_dataset():
    data = pickle.loads(pickle.dumps(wrapped()))
    assert data.metainfo == ToyData.metainfo
    data.pipeline = "another"  # as mmpretrain's SwitchRecipeHook does
    assert data.dataset.pipeline == "another"
    with pytest.raises(AttributeError, match="nothing"):
        _ = data.nothing


@pytest.mark.parametrize(("option", "value"), [("max_corrupted_share", 1.0), ("grace_s", 0)])
def test_rejects_options_out_of_range(tmp_path, option, value):
    with pytest.raises(ConfigError, match=f"{option} is {value}"):
        train(config(tmp_path, **{f"train_cfg__{option}": value}))
