"""Python 3.14, which has no pkgutil.find_loader: it is taken away from older ones."""

import importlib.util

import pytest

AS_PYTHON_3_14 = "import pkgutil; vars(pkgutil).pop('find_loader', None)\n"
ASK = """
from mmcv.utils.ext_loader import check_ops_exist
from mmengine.utils.dl_utils import mmcv_full_available
print(mmcv_full_available(), check_ops_exist())
"""
STEP = """
import torch
from mmengine.optim import build_optim_wrapper
model = torch.nn.Linear(2, 1)
before = model.weight.detach().clone()
optimizer = dict(type="SGD", lr=0.5)
wrapper = build_optim_wrapper(
    model, dict(type="OptimWrapper", optimizer=optimizer, paramwise_cfg=dict(bias_lr_mult=0.0))
)
wrapper.update_params(model(torch.ones(1, 2)).sum())
torch.testing.assert_close(model.weight, before - 0.5)
"""


@pytest.mark.slow
def test_without_find_loader(python, tmp_path):
    unpatched = python("-c", AS_PYTHON_3_14 + ASK, cwd=tmp_path)
    patched = python("-c", f"{AS_PYTHON_3_14}import glore_seg{ASK}{STEP}", cwd=tmp_path)
    has_operators = importlib.util.find_spec("mmcv._ext") is not None
    assert patched.returncode == 0, patched.stderr
    assert f"{has_operators} {has_operators}" in patched.stdout.splitlines()
    if unpatched.returncode:  # not with forks that do without it
        assert "module 'pkgutil' has no attribute 'find_loader'" in unpatched.stderr
