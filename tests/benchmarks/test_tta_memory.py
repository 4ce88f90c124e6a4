import json

from benchmarks import tta_memory
from tests.fixtures import STREET_SCENES


def test_a_way_says_what_it_took(capsys):
    options = ["--config", str(STREET_SCENES), "--size", "64", "128", "--device", "cpu"]
    tta_memory.main([*options, "--way", "accumulated"])
    assert json.loads(capsys.readouterr().out.splitlines()[-1]).keys() == {"peak"}
