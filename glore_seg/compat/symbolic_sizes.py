"""mmseg's ``resize`` while a graph is traced whose sizes are free.

With ``align_corners=True`` it turns sizes into plain numbers, for a warning alone, and the graph
then takes the traced size alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def sizes_stay_symbolic() -> Iterator[None]:
    """Let ``resize`` give no warning by default, so that it asks for no sizes."""
    from mmseg.models.utils import resize

    function: Any = resize  # under this name in each head that imported it
    *others, warning = defaults = function.__defaults__
    if warning is not True:  # of another version, which has other arguments
        yield
        return
    function.__defaults__ = (*others, False)
    try:
        yield
    finally:
        function.__defaults__ = defaults
