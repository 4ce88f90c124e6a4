"""Resource usage over time: memory, file handles, threads and processes must not grow.

``python -m benchmarks.soak --minutes 24``
"""
