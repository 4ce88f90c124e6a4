from random import Random

import pytest

pytest.importorskip("hypothesis", reason="pip install 'glore_seg[dev]'")

from tests.mutations.catalogue import READERS
from tests.mutations.rule import ERROR, RESULT, judge

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_bad_input_gives_a_result_or_an_error(reader):
    if reader.warm:
        reader.warm()
    for seed in range(15):
        assert judge(reader, reader.draw(Random(seed))) in (RESULT, ERROR), seed
