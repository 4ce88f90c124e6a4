"""Heads for mmaction2, which is optional: ``custom_imports`` of a config imports their files."""
