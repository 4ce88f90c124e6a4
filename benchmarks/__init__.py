"""What is faster than what: one script a table, run as ``python -m benchmarks.<name>``."""
