"""The position of a sample determines its index and its seed, whatever process draws it."""

import random
from itertools import islice

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler

from glore_seg.engine.samplers import (
    ResumableSampler,
    derive_seed,
    seed_everything,
)

DATA = list(range(10))


def resumable(kind, rank=0, world_size=1, seed=4):
    sampler = {"type": kind, "shuffle": True}
    return ResumableSampler(DATA, sampler, rank=rank, world_size=world_size, seed=seed)


@pytest.mark.parametrize(
    ("kind", "upstream"),
    [("InfiniteSampler", InfiniteSampler), ("DefaultSampler", DefaultSampler)],
)
def test_draws_what_upstream_draws_from_any_position(kind, upstream):
    wanted = list(islice(upstream(DATA, shuffle=True, seed=4), 25))
    sampler = resumable(kind)
    assert list(islice(sampler, 25)) == wanted
    for skip in (0, 1, 7):
        sampler.start(seed=4, epoch=0, skip=skip)
        assert list(islice(sampler, 25 - skip)) == wanted[skip : len(wanted)]
    assert len(sampler) == 10


def test_epochs_differ_as_upstream():
    upstream, sampler = DefaultSampler(DATA, seed=4), resumable("DefaultSampler")
    for epoch in (0, 3):
        upstream.set_epoch(epoch)
        sampler.set_epoch(epoch)
        assert list(sampler) == list(upstream)
    first, again = ([index.seed for index in sampler] for _ in range(2))
    assert first == again
    sampler.set_epoch(4)
    assert not set(first) & {index.seed for index in sampler}


def test_seeds_depend_on_the_position_in_the_training():
    sampler = resumable("InfiniteSampler")
    alone = [index.seed for index in islice(sampler, 12)]
    assert len(set(alone)) == 12
    sampler.start(seed=4, epoch=0, skip=5)
    assert [index.seed for index in islice(sampler, 7)] == alone[5:]
    ranks = [resumable("InfiniteSampler", rank=rank, world_size=2) for rank in (0, 1)]
    for rank, one in enumerate(ranks):
        assert [index.seed for index in islice(one, 6)] == alone[rank::2]


def test_seeds_are_unrelated():
    seeds = {derive_seed(kind, 0, 0, number) for kind in (1, 2) for number in range(1000)}
    assert len(seeds) == 2000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert abs(np.mean([bin(seed).count("1") for seed in seeds]) - 31.5) < 0.5


def test_all_generators_are_seeded():
    def draw():
        return random.random(), np.random.rand(), torch.rand(()).item()

    seed_everything(derive_seed(1))
    first = draw()
    seed_everything(derive_seed(2))
    assert not set(draw()) & set(first)
    seed_everything(derive_seed(1))
    assert draw() == first
