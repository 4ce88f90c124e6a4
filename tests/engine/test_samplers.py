"""A sample's place tells its index and its random numbers, whatever process draws it."""

import pickle
import random
from itertools import islice

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler

from glore_seg.engine.per_sample_seed_dataset import PerSampleSeedDataset
from glore_seg.engine.samplers import (
    ResumableSampler,
    SeededIndex,
    derive_seed,
    seed_everything,
)

from tests.engine.toy import ToyData

DATA = list(range(10))


def placed(kind, rank=0, world_size=1, seed=4):
    sampler = {"type": kind, "shuffle": True}
    return ResumableSampler(DATA, sampler, rank=rank, world_size=world_size, seed=seed)


@pytest.mark.parametrize(
    ("kind", "host"), [("InfiniteSampler", InfiniteSampler), ("DefaultSampler", DefaultSampler)]
)
def test_draws_what_the_hosts_draws_from_any_position(kind, host):
    wanted = list(islice(host(DATA, shuffle=True, seed=4), 25))
    sampler = placed(kind)
    assert list(islice(sampler, 25)) == wanted
    for skip in (0, 1, 7):
        sampler.start(seed=4, epoch=0, skip=skip)
        assert list(islice(sampler, 25 - skip)) == wanted[skip : len(wanted)]
    assert len(sampler) == 10


def test_epochs_differ_as_the_hosts():
    host, sampler = DefaultSampler(DATA, seed=4), placed("DefaultSampler")
    for epoch in (0, 3):
        host.set_epoch(epoch)
        sampler.set_epoch(epoch)
        assert list(sampler) == list(host)
    first, again = ([place.seed for place in sampler] for _ in range(2))
    assert first == again
    sampler.set_epoch(4)
    assert not set(first) & {place.seed for place in sampler}


def test_seeds_hang_on_the_place_in_the_whole_training():
    sampler = placed("InfiniteSampler")
    alone = [place.seed for place in islice(sampler, 12)]
    assert len(set(alone)) == 12
    sampler.start(seed=4, epoch=0, skip=5)
    assert [place.seed for place in islice(sampler, 7)] == alone[5:]


def test_places_survive_a_pipe():
    place = pickle.loads(pickle.dumps(SeededIndex(7, 123)))
    assert (place, place.seed) == (7, 123)
    assert SeededIndex(3).seed == 0


def test_seeds_are_unlike():
    seeds = {derive_seed(1, 0, 0, number) for number in range(1000)}
    seeds |= {derive_seed(2, 0, 0, number) for number in range(1000)}
    assert len(seeds) == 2000
    assert all(0 <= seed < 2**63 for seed in seeds)
    ones = np.array([bin(seed).count("1") for seed in seeds])
    assert abs(ones.mean() - 31.5) < 0.5
    with pytest.raises(ValueError, match="non-negative"):
        derive_seed(-1)


def test_all_generators_are_seeded():
    def draw():
        return random.random(), np.random.rand(), torch.rand(()).item()

    seed_everything(derive_seed(1))
    first = draw()
    seed_everything(derive_seed(2))
    assert not set(draw()) & set(first)
    seed_everything(derive_seed(1))
    assert draw() == first


def test_a_data_set_passes_all_but_its_items():
    data = PerSampleSeedDataset(ToyData(), replace_corrupted=False, num_workers=0)
    assert data.metainfo == ToyData.metainfo
    assert len(data) == 8
    one, again, other = (data[SeededIndex(2, seed)].sample["inputs"] for seed in (5, 5, 6))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    with pytest.raises(AttributeError, match="nothing"):
        _ = data.nothing
    assert pickle.loads(pickle.dumps(data)).path_of(3) == "toys/3.png"
