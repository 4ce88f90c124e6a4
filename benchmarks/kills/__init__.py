"""Kill the tools at random moments: what they end with is the undisturbed run's, bit for bit.

``python -m benchmarks.kills --kills 30``
"""

from benchmarks.kills.command import main

__all__ = ["main"]
