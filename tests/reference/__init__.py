"""Peers' ways to do the same thing, written out step by step, to compare with."""
