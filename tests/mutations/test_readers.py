import pytest

pytest.importorskip("hypothesis", reason="pip install 'glore_seg[dev]'")

from hypothesis import HealthCheck, Phase, given, settings

from tests.mutations.catalogue import READERS
from tests.mutations.rule import ERROR, RESULT, judge

pytestmark = pytest.mark.slow

FEW = settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_bad_input_gives_a_result_or_an_error(reader):
    if reader.warm:
        reader.warm()

    @FEW
    @given(reader.inputs())
    def holds(files):
        assert judge(reader, files) in (RESULT, ERROR)

    holds()
