import os

import pytest

from glore_seg.errors import GloReSegError
from glore_seg.utils.parallel import map_in_processes


@pytest.mark.slow
def test_a_worker_that_dies_says_what_to_do():
    with pytest.raises(GloReSegError, match=r"one of 2 worker processes died, .*: use fewer"):
        list(map_in_processes(os._exit, [3, 3, 3], 2, chunksize=1))
