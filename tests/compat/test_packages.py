"""Package look-ups, beside what is installed here."""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import pytest

from glore_seg.compat import packages


def folder_of(module):
    return str(Path(importlib.util.find_spec(module).origin).parent)


def write_distribution(root, name, module, *, top_level):
    info = root / (name.replace("-", "_") + "-1.0.dist-info")
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    file = (info / "top_level.txt", f"{module}\n")
    if not top_level:
        file = (info / "RECORD", f"{info.name}/METADATA,,\n{module}/__init__.py,,\n")
    file[0].write_text(file[1])


@pytest.mark.parametrize("name", ["mmseg", "mmengine", "torch", "numpy"])
def test_by_module_name(name):
    assert packages.is_installed(name)
    assert packages.get_installed_path(name) == folder_of(name)


def test_by_distribution_name():
    name = next(
        name
        for name in ("mmcv-lite", "mmcv", "onedl-mmcv")
        if importlib.util.find_spec("mmcv") and packages._distribution(name)
    )
    assert packages.is_installed(name)
    assert packages.package2module(name) == "mmcv"
    assert packages.get_installed_path(name) == folder_of("mmcv")


@pytest.mark.parametrize("editable", [True, False])
def test_by_metadata(tmp_path, monkeypatch, editable):
    """An editable install has its metadata elsewhere; others may lack top_level.txt."""
    if not editable and sys.version_info < (3, 11):
        pytest.skip("Python 3.10 does not infer modules from RECORD")
    site = tmp_path / "site"
    source = tmp_path / "source" if editable else site
    write_distribution(site, "some-plugin", "some_module", top_level=editable)
    (source / "some_module").mkdir(parents=True)
    (source / "some_module" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(source), str(site)])  # the search of all others is slow
    for name in ("some-plugin", "Some_Plugin"):
        assert packages.package2module(name) == "some_module"
    assert packages.get_installed_path("some-plugin") == str(source / "some_module")


@pytest.mark.slow
def test_missing(tmp_path, monkeypatch):
    (tmp_path / "namespace_package").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("no_such_package", "namespace_package"):
        assert not packages.is_installed(name)
        for find in (packages.get_installed_path, packages.package2module):
            with pytest.raises(importlib.metadata.PackageNotFoundError, match=name):
                find(name)


def test_fork_under_another_name(monkeypatch):
    """Configs ask for mmsegmentation, which here is not the name of a distribution."""
    monkeypatch.setattr(packages, "_distribution", lambda name: None)
    assert packages.is_installed("mmsegmentation")
    assert packages.get_installed_path("mmsegmentation") == folder_of("mmseg")
