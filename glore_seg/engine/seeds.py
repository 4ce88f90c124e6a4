"""Random numbers that hang on a place in the training alone, not on what was drawn before."""

import random

import numpy as np
import torch

_WORD = 0xFFFFFFFF


def seed_of(*place: int) -> int:
    """Mix whole numbers, 0 or more, into a seed of 63 bits; near ones give unlike seeds."""
    low, high = np.random.SeedSequence(place).generate_state(2)
    return (int(high) << 32 | int(low)) >> 1


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch, on all devices.

    Args:
        seed: As of :func:`seed_of`.
    """
    random.seed(seed)
    np.random.seed([seed & _WORD, seed >> 32])
    torch.manual_seed(seed)
