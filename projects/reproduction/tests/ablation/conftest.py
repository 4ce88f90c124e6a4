import pytest

from projects.reproduction.ablation.plan import plan_rows
from projects.reproduction.tests.ablation.runs import make_config


@pytest.fixture
def rows(tmp_path):
    """Rows a and b, with their runs in ``out``."""
    return plan_rows([str(make_config(tmp_path / f"{n}.py")) for n in "ab"], tmp_path / "out")
