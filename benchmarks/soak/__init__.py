"""Long runs in miniature: memory, file handles, threads and processes must stay flat.

``python -m benchmarks.soak --minutes 24``
"""

from benchmarks.soak.command import main

__all__ = ["main"]
