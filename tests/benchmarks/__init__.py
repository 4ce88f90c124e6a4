"""The benchmarks' helpers and their command lines."""
