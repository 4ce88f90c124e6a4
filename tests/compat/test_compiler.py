"""mmengine's environment report where Python's compiler is not installed."""

import pytest

SCRIPT = """
import sys, sysconfig
sys.modules["torchvision"] = None  # its CUDA wheel does not load beside a CPU build of torch
sysconfig.get_config_vars()["CC"] = "no-such-compiler -pthread"
{apply}
from mmengine.utils.dl_utils import collect_env
print(collect_env()["GCC"])
"""
APPLY = "from glore_seg.compat import compiler; assert compiler.PATCH.run() == 'applied'"


@pytest.mark.slow
def test_prints_nothing(python, tmp_path):
    before = python("-c", SCRIPT.format(apply=""), cwd=tmp_path)
    assert before.stdout.endswith("n/a\n")  # the forks print more before it
    assert "no-such-compiler" in before.stderr
    after = python("-c", SCRIPT.format(apply=APPLY), cwd=tmp_path)
    assert after.stdout.endswith("n/a\n")
    assert "no-such-compiler" not in after.stderr
