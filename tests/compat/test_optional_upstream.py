"""The patches of mmcv, mmaction2, torchvision, torch.distributed and NumPy, piece by piece."""

import pkgutil
import sys

import mmcv
import numpy as np
import pytest
import torch
from PIL import Image

from glore_seg.compat import (
    cityscapesscripts,
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


def test_in1d_of_numpy_is_left_alone(monkeypatch):
    monkeypatch.setattr(np, "in1d", object(), raising=False)
    assert cityscapesscripts._not_needed() == f"NumPy {np.__version__} has in1d"


@pytest.mark.skipif(hasattr(np, "in1d"), reason="this NumPy has in1d")
def test_mmseg_cityscapes_metric(tmp_path):
    """mmseg's own metric scores: 64 of 80 pixels that are called flat, 48 of 64 of vehicles."""
    from mmseg.registry import METRICS

    labels = np.full((8, 16), 7, np.uint8)  # road
    labels[:, 8:] = 26  # car
    instances = labels.astype(np.uint16)
    instances[:, 8:] = 26001
    truth = tmp_path / "aachen_000000_000019_gtFine_labelIds.png"
    Image.fromarray(labels).save(truth)
    Image.fromarray(instances).save(str(truth).replace("labelIds", "instanceIds"))
    predicted = torch.zeros(1, 8, 16, dtype=torch.int64)  # train ids
    predicted[..., 10:] = 13
    sample = {
        "pred_sem_seg": {"data": predicted},
        "img_path": "aachen_000000_000019_leftImg8bit.png",
        "seg_map_path": str(truth).replace("labelIds", "labelTrainIds"),
    }
    metric = METRICS.build({"type": "CityscapesMetric", "output_dir": str(tmp_path / "out")})
    metric.process({}, [sample])
    scores = metric.evaluate(1)
    assert scores["averageScoreCategories"] == pytest.approx((64 / 80 + 48 / 64) / 2)
    assert not hasattr(np, "in1d")
