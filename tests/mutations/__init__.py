"""Bad input on purpose: what is mutated, what reads it, and the rule that all must keep.

``test_readers.py`` tries some inputs of every reader; ``python -m benchmarks.mutations`` thousands.
"""
