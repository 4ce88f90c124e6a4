"""Each error that a patch is for, without it and with it, in fresh interpreters."""

import importlib.util
from pathlib import Path

import pytest
import torch

from glore_seg.compat import upstream

pytestmark = pytest.mark.slow


def test_configs_of_packages(patched, tell_need):
    folder = str(Path(importlib.util.find_spec("mmseg").origin).parent)
    assert patched["packages"] == ["mmseg", folder, True, False]
    error = "mmsegmentation is not installed"  # with a fork of another name
    if upstream.version_of("mmsegmentation"):
        error = "No module named 'pkg_resources'"
    tell_need("packages", "packages", error)


def test_mmseg_models(unpatched, patched, tell_need):
    assert patched["mmseg_models"] is True
    if unpatched["mmseg_models"] is True:
        pytest.skip("this mmsegmentation does without mmcv.ops")
    error = "No module named 'mmcv._ext'"
    if patched["states"]["mmcv_version"] == "applied":
        error = "is used but incompatible"  # comes first
    tell_need("mmcv.ops", "mmseg_models", error)


def test_parts_of_mmcv_ops(unpatched, patched):
    if patched["states"]["mmcv.ops"] != "applied":
        pytest.skip(f"mmcv.ops: {patched['states']['mmcv.ops']}")
    assert "No module named 'mmcv._ext'" in unpatched["point_sample"]
    assert patched["point_sample"] == [[[1.0, 2.5]]]
    assert patched["compiled_operator"].startswith(
        "ModuleNotFoundError: mmcv's operator 'roi_align_forward' was called. "
        "It needs compiled operators"
    )
    assert "--no-build-isolation mmcv==2.1.0" in patched["compiled_operator"]


def test_mmcv_stays_lite(unpatched, patched):
    assert patched["mmcv_full"] == unpatched["mmcv_full"]
    assert patched["environment_report"] is True


def test_runner_checkpoints(patched, tell_need):
    assert patched["history_buffer"] == ["HistoryBuffer", 3.0, 4.0]
    tell_need("checkpoint globals", "history_buffer", "Weights only load failed")


def test_hostile_files(unpatched, patched):
    assert unpatched["hostile_download"] == ["loaded", True]
    assert patched["hostile_download"] == patched["hostile_file"] == ["refused", False]


def test_process_group(patched, tell_need):
    assert patched["init_dist"] == [0, 1]
    # A CPU build has no such function; a CUDA build has, and finds no driver.
    error = "NVIDIA driver" if torch.version.cuda else "_cuda_setDevice"
    tell_need("distributed on CPU", "init_dist", error)


def test_process_group_names_the_backend(patched):
    if patched["states"]["distributed on CPU"] != "applied":
        pytest.skip("an accelerator is present")
    assert patched["init_dist_nccl"] == (
        "ValueError: backend 'nccl' needs GPUs and there are none; expected "
        "env_cfg=dict(dist_cfg=dict(backend='gloo'))"
    )


def test_torchvision(patched, tell_need):
    if patched["torchvision"][0] != "s":
        assert patched["torchvision"] == [1, 3]
    tell_need("torchvision", "torchvision", "operator torchvision::nms does not exist")


def test_cityscapesscripts(patched, tell_need):
    if patched["states"]["cityscapesScripts"] == "applied":
        # 64 pixels are road, 80 are called road; 48 of the 64 pixels of the car are found.
        assert patched["cityscapes"] == [64 / 80, 48 / 64, False]
    tell_need("cityscapesScripts", "cityscapes", "in1d")


def test_mmpretrain(patched):
    if str(patched["mmpretrain_models"]).startswith("skipped"):
        pytest.skip(patched["mmpretrain_models"])
    assert patched["mmpretrain_models"] is True


def test_mmaction(patched, python, tmp_path):
    if str(patched["mmaction_models"]).startswith("skipped"):
        pytest.skip(patched["mmaction_models"])
    assert patched["mmaction_models"] is True
    if patched["states"]["mmaction"] != "applied":
        pytest.skip(f"mmaction: {patched['states']['mmaction']}")
    assert "localizer 'DRN' was called" in patched["mmaction_drn"]
    assert "install mmaction2 from its source" in patched["mmaction_drn"]
    # All the other patches stay, so that this error is met.
    without = python(
        "-c",
        "import sys; from glore_seg import compat; compat.apply();"
        "[sys.modules.pop(n) for n in list(sys.modules) if n.startswith('mmaction')];"
        "import mmaction.models",
        cwd=tmp_path,
    )
    assert "No module named 'mmaction.models.localizers.drn'" in without.stderr
