"""Package look-ups, beside what is installed here."""

import importlib.metadata
import importlib.util
import sys
import types
from pathlib import Path

import pytest

from glore_seg.compat import packages


def folder_of(module):
    return str(Path(importlib.util.find_spec(module).origin).parent)


def write_distribution(root, name, module):
    info = root / (name.replace("-", "_") + "-1.0.dist-info")
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "top_level.txt").write_text(f"{module}\n")


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


def test_editable(tmp_path, monkeypatch):
    """The metadata lie elsewhere than the source."""
    site, source = tmp_path / "site", tmp_path / "source"
    write_distribution(site, "some-plugin", "some_module")
    (source / "some_module").mkdir(parents=True)
    (source / "some_module" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.syspath_prepend(str(source))
    assert packages.package2module("some-plugin") == "some_module"
    assert packages.get_installed_path("some-plugin") == str(source / "some_module")


def test_missing():
    assert not packages.is_installed("no_such_package")
    with pytest.raises(importlib.metadata.PackageNotFoundError, match="no_such_package"):
        packages.get_installed_path("no_such_package")
    with pytest.raises(importlib.metadata.PackageNotFoundError, match="no_such_package"):
        packages.package2module("no_such_package")


def test_namespace_package(tmp_path, monkeypatch):
    (tmp_path / "spread_out").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not packages.is_installed("spread_out")
    with pytest.raises(importlib.metadata.PackageNotFoundError, match="spread_out"):
        packages.get_installed_path("spread_out")


def test_replaced_wherever_it_was_imported(monkeypatch):
    def is_installed():
        pass

    def other():
        pass

    one, two = types.ModuleType("one"), types.ModuleType("two")
    one.is_installed, two.is_installed = is_installed, other
    monkeypatch.setitem(sys.modules, "one", one)
    monkeypatch.setitem(sys.modules, "two", two)
    packages.replace_everywhere(is_installed, packages.is_installed)
    assert one.is_installed is packages.is_installed
    assert two.is_installed is other


def upstream_that_asks_pkg_resources():
    from pkg_resources import get_distribution

    return get_distribution


@pytest.mark.parametrize("distribution", [object(), None])
@pytest.mark.parametrize("present", [True, False])
def test_looks_before_it_patches(tmp_path, monkeypatch, present, distribution):
    """Only the presence of pkg_resources is looked at, and the name of mmsegmentation."""
    from mmengine.utils import package_utils

    monkeypatch.setattr(packages, "is_importable", lambda name: present)
    monkeypatch.setattr(packages, "_distribution", lambda name: distribution)
    monkeypatch.setattr(package_utils, "get_installed_path", upstream_that_asks_pkg_resources)
    whole = present and distribution is not None
    assert packages._not_needed() == ("setuptools still has pkg_resources" if whole else "")
    monkeypatch.setattr(package_utils, "get_installed_path", packages.get_installed_path)
    own = "this mmengine does not use pkg_resources"
    assert packages._not_needed() == (own if distribution is not None else "")


def test_fork_under_another_name(monkeypatch):
    """Configs ask for mmsegmentation, which here is not the name of a distribution."""
    monkeypatch.setattr(packages, "_distribution", lambda name: None)
    assert packages.is_installed("mmsegmentation")
    assert packages.get_installed_path("mmsegmentation") == folder_of("mmseg")
