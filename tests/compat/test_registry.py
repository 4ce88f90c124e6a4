"""The record of patches: idempotence, missing packages, the report."""

import configparser
import importlib
import logging
import pkgutil
import runpy
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from glore_seg import compat
from glore_seg.compat import patch, upstream


@pytest.fixture
def states(monkeypatch):
    recorded = {}
    monkeypatch.setattr(patch, "_states", recorded)
    return recorded


def build(upstream="torch", why="", error=None):
    calls = []

    def apply():
        calls.append(1)
        if error is not None:
            raise error

    return patch.Patch("a", "for a test", upstream, lambda: why, apply), calls


def test_runs_once_and_logs_once(states, caplog):
    caplog.set_level(logging.DEBUG, "glore_seg.compat")
    one, calls = build()
    assert one.state == "not applied yet"
    assert [one.run(), one.run()] == ["applied", "applied"]
    assert calls == [1]
    assert caplog.messages == ["a: applied"]


def test_waits_for_the_import_of_its_module(states, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "slow_upstream.py").write_text("value = 1\n")

    def apply():
        sys.modules["slow_upstream"].value += 1

    one = patch.Patch("a", "", "slow_upstream", lambda: "", apply, module="slow_upstream")
    for _ in range(2):
        one.schedule()
    assert one.state == "waits for the import of slow_upstream"
    importlib.util.find_spec("slow_upstream")  # somebody asks, and does not import it
    assert importlib.import_module("slow_upstream").value == 2
    assert one.state == "applied"
    del sys.modules["slow_upstream"]


@pytest.mark.slow
def test_import_is_as_light_as_that_of_mmseg(python, tmp_path):
    """No networks, datasets or loops of upstream, until somebody asks a registry."""
    code = """if True:
        import sys
        import glore_seg
        heavy = {"mmseg.models", "mmseg.datasets", "mmengine.runner", "mmengine.optim", "timm",
                 "torchvision", "scipy", "matplotlib.pyplot", "torch.distributed.fsdp", "mmcv.ops"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        assert glore_seg.GloReUnit.__module__ == "glore_seg.layers.glore_unit"
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        from mmengine.registry import HOOKS, MODELS
        assert "GloReUnit" in MODELS and "SetupCheckHook" in HOOKS and "mmseg.GloReHead" in MODELS
    """
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("library", ["mmengine", "mmseg", "mmpretrain", "mmaction"])
@pytest.mark.slow
def test_is_registered_for_every_library(python, tmp_path, library):
    pytest.importorskip(library)
    code = (
        f"import glore_seg; from {library}.registry import MODELS; print(MODELS.get('GloReUnit'))"
    )
    done = python("-c", code, cwd=tmp_path)
    assert "glore_seg.models.plugins.glore_unit." in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("options", "state", "called"),
    [
        ({"why": "it is whole"}, "not needed (it is whole)", []),
        ({"upstream": "no_such_package"}, "package not installed", []),
        ({"error": patch.CannotPatchError("no libcudart.so")}, "failed (no libcudart.so)", [1]),
    ],
)
def test_states_of_what_is_not_applied(states, options, state, called):
    one, calls = build(**options)
    assert one.run() == one.state == state
    assert calls == called


def test_own_errors_are_not_hidden(states):
    one, _ = build(error=KeyError("typo"))
    with pytest.raises(KeyError, match="typo"):
        one.run()


@pytest.mark.parametrize(
    ("modules", "command"),
    [
        (["mmcv"], "pip install mmcv-lite"),
        (["mmseg"], "pip install mmsegmentation"),
        (["ftfy", "regex"], "pip install ftfy regex"),
    ],
)
def test_missing_packages_are_named_at_once_with_the_command(monkeypatch, modules, command):
    monkeypatch.setattr(upstream, "is_importable", lambda name: name not in modules)
    with pytest.raises(ImportError, match=f"needs {', '.join(modules)}, .*: {command}$") as caught:
        compat.apply()
    assert caught.value.name == modules[0]


def test_report(capsys):
    compat.apply()
    runpy.run_module("glore_seg.compat", run_name="__main__")
    printed = capsys.readouterr().out
    report = compat.report()
    assert str(report) in printed
    for name in ("python", "torch", "numpy", "opencv", "setuptools", "mmengine", "mmcv", "mmseg"):
        assert report.versions[name] != "not installed"
        assert report.versions[name] in printed
    modules = [
        importlib.import_module(f"{compat.__name__}.{module.name}")
        for module in pkgutil.iter_modules(compat.__path__)
        if module.name != "__main__"
    ]
    patches = {
        value.name
        for module in modules
        for value in vars(module).values()
        if isinstance(value, patch.Patch)
    }
    assert sorted(one.name for one in report.patches) == sorted(patches)
    for one in report.patches:
        assert one.state != "not applied yet"
        assert not one.state.startswith(("failed", "waits"))
        assert f"{one.name}: {one.state}" in printed
        assert one.reason in printed


def test_old_versions_are_named_in_one_warning(monkeypatch):
    versions = {"torch": "2.1.2+cu121", "numpy": "1.25.2", "mmcv-lite": "2.1.0"}
    monkeypatch.setattr(upstream, "version_of", versions.get)
    text = r"torch 2\.1\.2\+cu121 \(supported: 2\.4 and later\), numpy 1\.25\.2 \(supported: 1\.26"
    with pytest.warns(UserWarning, match=text) as caught:
        upstream.warn_of_old_versions()
    assert len(caught) == 1
    assert "mmcv" not in str(caught[0].message)


def test_oldest_versions_are_those_of_the_metadata():
    """Forks have other names, and mmcv-lite stands in an extra."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[2] / "setup.cfg")
    lines = config["options"]["install_requires"].splitlines()
    lines += config["options.extras_require"]["lite"].splitlines()
    required = [Requirement(line) for line in lines if line and not line.startswith("#")]
    found = {
        each.name: one.version
        for each in required
        for one in each.specifier
        if one.operator == ">="
    }
    names = dict(upstream.PACKAGES)
    for title, oldest in upstream.OLDEST.items():
        assert {found[name] for name in names[title] if name in found} == {oldest}, title
