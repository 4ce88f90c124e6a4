"""The patches of mmcv, mmaction2, torchvision, torch.distributed and NumPy, piece by piece."""

import pkgutil
import sys
import threading

import mmcv
import numpy as np
import pytest
import torch

from glore_seg.compat import (
    cityscapesscripts,
    cityscapesscripts_numpy,
    distributed,
    find_loader,
    mmaction,
    mmcv_ops,
    mmcv_version,
    packages,
    torchvision,
)


def test_full_mmcv_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "_ext.py").touch()
    monkeypatch.setattr(mmcv, "__path__", [*mmcv.__path__, str(tmp_path)])
    assert mmcv_ops._not_needed() == "mmcv has compiled operators"


def test_upstream_that_needs_no_patch_is_left_alone(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert distributed._not_needed().startswith("an accelerator is present")
    monkeypatch.setattr(pkgutil, "find_loader", lambda name: None, raising=False)
    assert find_loader._not_needed() == "pkgutil has find_loader"
    for version, needed in (((2, 1, 0), False), ((2, 2, 0), True), ((2, 3, 0), False)):
        monkeypatch.setattr(mmcv, "version_info", version)
        assert bool(mmcv_version._not_needed()) is not needed
    monkeypatch.setitem(sys.modules, "torchvision", object())
    assert torchvision._not_needed() == "torchvision is imported"
    monkeypatch.setattr(packages, "is_importable", lambda name: True)
    for distribution, needed in ((object(), False), (None, True)):
        monkeypatch.setattr(packages, "_distribution", lambda name, found=distribution: found)
        assert bool(packages._not_needed()) is not needed


def test_missing_extension():
    extension = mmcv_ops.MissingExtension()
    assert not hasattr(extension, "__path__")
    with pytest.raises(ModuleNotFoundError, match=r"'nms' was called\. It needs") as caught:
        extension.nms(1, offset=2)
    assert caught.value.name == "mmcv._ext"


@pytest.mark.parametrize("kind", ["absent", "folder", "file", "not imported", "no localizers"])
def test_lacks_drn(tmp_path, kind):
    folder = tmp_path / "models" / "localizers"
    if kind != "no localizers":
        folder.mkdir(parents=True)
        line = "" if kind == "not imported" else "from .drn.drn import DRN\n"
        (folder / "__init__.py").write_text(line)
    if kind == "folder":
        (folder / "drn").mkdir()
    if kind == "file":
        (folder / "drn.py").touch()
    assert mmaction.lacks_drn(tmp_path) is (kind == "absent")


@pytest.mark.slow
def test_torchvision_broken_otherwise(python, tmp_path):
    """Its own error is raised where it is imported, by timm already where that is installed."""
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('two CUDAs')\n")
    code = "import glore_seg, torchvision"
    done = python("-c", code, cwd=tmp_path.parent, path=[tmp_path])
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "RuntimeError: two CUDAs"


needs_patch = pytest.mark.skipif(hasattr(np, "in1d"), reason="this NumPy has in1d")


@needs_patch
def test_in1d_for_the_time_of_the_call():
    with cityscapesscripts_numpy():
        assert np.in1d([[1, 2], [3, 4]], [2, 3]).tolist() == [False, True, True, False]
        assert np.in1d([1, 2], [2], invert=True).tolist() == [True, False]
        with cityscapesscripts_numpy():
            assert np.in1d is cityscapesscripts.in1d
        assert np.in1d is cityscapesscripts.in1d
    assert not hasattr(np, "in1d")
    with pytest.raises(ZeroDivisionError), cityscapesscripts_numpy():
        1 / np.in1d([1], [2]).sum().item()
    assert not hasattr(np, "in1d")


@needs_patch
def test_in1d_of_several_threads():
    entered, leave, seen = threading.Event(), threading.Event(), []

    def work():
        with cityscapesscripts_numpy():
            entered.set()
            leave.wait(10)
            seen.append(hasattr(np, "in1d"))

    thread = threading.Thread(target=work)
    with cityscapesscripts_numpy():
        thread.start()
        assert entered.wait(10)
    assert hasattr(np, "in1d")
    leave.set()
    thread.join(10)
    assert seen == [True]
    assert not hasattr(np, "in1d")


def test_in1d_of_numpy_is_left_alone(monkeypatch):
    own = object()
    monkeypatch.setattr(np, "in1d", own, raising=False)
    with cityscapesscripts_numpy():
        assert np.in1d is own
    assert np.in1d is own
    assert cityscapesscripts._not_needed() == f"NumPy {np.__version__} has in1d"
