"""Ablations: rows of a table, each a config that is trained with several seeds."""
