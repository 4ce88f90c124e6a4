"""Exceptions of this package: one root, and a few kinds.

Every check of ours raises one of them, with a text that names the value, what was expected and the
fix. The command line prints a :class:`GloReSegError` in one line and exits with 2. What upstream
raises keeps its class and its traceback.
"""


class GloReSegError(Exception):
    """Root of all exceptions that this package raises by itself."""


class ConfigError(GloReSegError, ValueError):
    """A config, an option or an argument does not fit."""


class DataError(GloReSegError, ValueError):
    """An image, a label map, a video or a folder of them is missing, corrupted or does not fit."""


class CorruptedFileError(DataError):
    """A file of a dataset is missing or cannot be decoded. Training can replace its sample."""


class CheckpointError(GloReSegError, ValueError):
    """A file of weights is missing, corrupted, of another network, or could run code."""


class OutputError(GloReSegError, OSError):
    """A result exists already or cannot be written."""


class MissingDependencyError(GloReSegError, ImportError):
    """A needed package is missing or too old; the text names the command that installs it."""
