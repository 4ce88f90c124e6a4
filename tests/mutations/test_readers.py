import pytest

from tests.mutations.readers import READERS
from tests.mutations.rule import ERROR, RESULT, judge

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_bad_input_gives_a_result_or_an_error(reader):
    if reader.warm:
        reader.warm()
    for number in range(15):
        assert judge(reader, reader.input(0, number)) in (RESULT, ERROR), number
