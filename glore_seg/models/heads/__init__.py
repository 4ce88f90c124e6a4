"""Heads for mmaction2, which is optional: configs import them by ``custom_imports``."""
