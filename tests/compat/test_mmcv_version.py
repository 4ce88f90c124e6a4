"""mmcv 2.2 is admitted. Its number is set by hand: only one mmcv is installed."""

import pytest

AS_MMCV_2_2 = "import mmcv; mmcv.__version__ = '2.2.0'; mmcv.version_info = (2, 2, 0)\n"


@pytest.mark.parametrize("package", ["mmseg", "mmaction"])
@pytest.mark.slow
def test_admits_it(python, package, tmp_path):
    if package == "mmaction":
        pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")
    refused = python("-c", f"{AS_MMCV_2_2}import {package}", cwd=tmp_path)
    if refused.returncode == 0:
        pytest.skip(f"this {package} admits mmcv 2.2 by itself")
    assert "MMCV==2.2.0 is used but incompatible" in refused.stderr
    script = (
        f"from glore_seg import compat; compat.apply(); import {package}; print(mmcv.__version__)"
    )
    admitted = python("-c", f"{AS_MMCV_2_2}{script}", cwd=tmp_path)
    assert admitted.stdout.endswith("2.2.0\n"), admitted.stderr
