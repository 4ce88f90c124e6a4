"""Synthetic datasets drawn from a seed: the demo's and the tests' data."""
