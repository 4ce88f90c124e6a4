"""Each error that a mend is for, without it and with it, in fresh interpreters."""

import importlib.util
from pathlib import Path

import pytest

from glore_seg.compat import hosts


def test_configs_of_packages(mended, tell_need):
    folder = str(Path(importlib.util.find_spec("mmseg").origin).parent)
    assert mended["packages"] == ["mmseg", folder, True, False]
    error = "mmsegmentation is not installed"  # with a fork of another name
    if hosts.version_of("mmsegmentation"):
        error = "No module named 'pkg_resources'"
    tell_need("packages", "packages", error)


def test_mmseg_models(mended, tell_need):
    assert mended["mmseg_models"] is True
    tell_need("mmcv.ops", "mmseg_models", "No module named 'mmcv._ext'")


def test_parts_of_mmcv_ops(unmended, mended):
    if mended["states"]["mmcv.ops"] != "mended":
        pytest.skip(f"mmcv.ops: {mended['states']['mmcv.ops']}")
    assert "No module named 'mmcv._ext'" in unmended["point_sample"]
    assert mended["point_sample"] == [[[1.0, 2.5]]]
    assert mended["compiled_operator"].startswith(
        "ModuleNotFoundError: mmcv's operator 'roi_align_forward' was called. "
        "It needs compiled operators"
    )
    assert "install a full mmcv" in mended["compiled_operator"]


def test_mmcv_stays_lite(unmended, mended):
    assert mended["mmcv_full"] == unmended["mmcv_full"]
    assert mended["environment_report"] is True


def test_runner_checkpoints(mended, tell_need):
    assert mended["history_buffer"] == ["HistoryBuffer", 3.0, 4.0]
    tell_need("checkpoint globals", "history_buffer", "Weights only load failed")


def test_hostile_download(unmended, mended):
    assert unmended["hostile_download"] == ["loaded", True]
    assert mended["hostile_download"] == ["refused", False]


def test_hostile_file(mended):
    assert mended["hostile_file"] == ["refused", False]


def test_hostile_file_with_a_fork(unmended):
    """onedl-mmengine runs what it cannot read safely."""
    if unmended["hostile_file"] == ["refused", False]:
        pytest.skip("this mmengine refuses the file by itself")
    assert unmended["hostile_file"] == ["loaded", True]


def test_process_group(mended, tell_need):
    assert mended["init_dist"] == [0, 1]
    tell_need("distributed on CPU", "init_dist", "_cuda_setDevice")


def test_process_group_names_the_backend(mended):
    if mended["states"]["distributed on CPU"] != "mended":
        pytest.skip("an accelerator is present")
    assert mended["init_dist_nccl"] == (
        "ValueError: backend 'nccl' needs GPUs and there are none; expected "
        "env_cfg=dict(dist_cfg=dict(backend='gloo'))"
    )


def test_torchvision(mended, tell_need):
    if mended["torchvision"][0] != "s":
        assert mended["torchvision"] == [1, 3]
    tell_need("torchvision", "torchvision", "operator torchvision::nms does not exist")


def test_cityscapesscripts(mended, tell_need):
    if mended["states"]["cityscapesScripts"] == "mended":
        # 64 pixels are road, 80 are called road; 48 of the 64 pixels of the car are found.
        assert mended["cityscapes"] == [64 / 80, 48 / 64, False]
    tell_need("cityscapesScripts", "cityscapes", "in1d")


def test_mmpretrain(mended):
    if str(mended["mmpretrain_models"]).startswith("skipped"):
        pytest.skip(mended["mmpretrain_models"])
    assert mended["mmpretrain_models"] is True


def test_mmaction(mended, python, tmp_path):
    if str(mended["mmaction_models"]).startswith("skipped"):
        pytest.skip(mended["mmaction_models"])
    assert mended["mmaction_models"] is True
    if mended["states"]["mmaction"] != "mended":
        pytest.skip(f"mmaction: {mended['states']['mmaction']}")
    assert "localizer 'DRN' was called" in mended["mmaction_drn"]
    assert "install mmaction2 from its source" in mended["mmaction_drn"]
    # All the other mends stay, so that this error is met.
    without = python(
        "-c",
        "import sys; from glore_seg import compat; compat.apply();"
        "[sys.modules.pop(n) for n in list(sys.modules) if n.startswith('mmaction')];"
        "import mmaction.models",
        cwd=tmp_path,
    )
    assert "No module named 'mmaction.models.localizers.drn'" in without.stderr


def test_nothing_costly_is_imported(mended):
    """glore_seg itself may import them; compat must not."""
    import sys

    import glore_seg  # noqa: F401

    if any(name in sys.modules for name in ("mmpretrain", "mmaction")):
        pytest.skip("glore_seg imports them")
    assert mended["costly"] == []
