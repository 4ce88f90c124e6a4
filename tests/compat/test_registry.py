"""The record of mends: idempotence, missing hosts, the report."""

import configparser
import logging
import runpy
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from glore_seg import compat
from glore_seg.compat import hosts, mend


@pytest.fixture
def states(monkeypatch):
    recorded = {}
    monkeypatch.setattr(mend, "_states", recorded)
    return recorded


def build(host="torch", why="", fault=None):
    calls = []

    def apply():
        calls.append(1)
        if fault is not None:
            raise fault

    return mend.Mend("a", "for a test", host, lambda: why, apply), calls


def test_runs_once_and_logs_once(states, caplog):
    caplog.set_level(logging.DEBUG, "glore_seg.compat")
    one, calls = build()
    assert one.state == "not applied yet"
    assert [one.run(), one.run()] == ["mended", "mended"]
    assert calls == [1]
    assert caplog.messages == ["a: mended"]


def test_not_needed(states):
    one, calls = build(why="it is whole")
    assert one.run() == one.state == "not needed (it is whole)"
    assert calls == []


def test_host_not_installed(states):
    one, calls = build(host="no_such_package")
    assert one.run() == "host package not installed"
    assert calls == []


def test_optional_host_broken_otherwise(states):
    one, _ = build(fault=mend.CannotMendError("libcudart.so is missing"))
    assert one.run() == "failed (libcudart.so is missing)"


def test_own_faults_are_not_hidden(states):
    one, _ = build(fault=KeyError("typo"))
    with pytest.raises(KeyError, match="typo"):
        one.run()


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("mmengine", "pip install mmengine"),
        ("ftfy", "pip install ftfy"),
        ("mmcv", "pip install mmcv-lite"),
        ("mmseg", "pip install mmsegmentation"),
    ],
)
def test_missing_host_names_the_command(monkeypatch, module, command):
    monkeypatch.setattr(hosts, "is_importable", lambda name: name != module)
    with pytest.raises(ImportError, match=f"needs {module}, .*: {command}$") as caught:
        compat.apply()
    assert caught.value.name == module


def test_report(capsys):
    compat.apply()
    runpy.run_module("glore_seg.compat", run_name="__main__")
    printed = capsys.readouterr().out
    report = compat.report()
    assert printed.strip() == str(report)
    for name in ("python", "torch", "numpy", "opencv", "setuptools", "mmengine", "mmcv", "mmseg"):
        assert report.versions[name] != "not installed"
        assert report.versions[name] in printed
    assert len({one.name for one in report.mends}) == len(report.mends) == 12
    for one in report.mends:
        assert one.state != "not applied yet"
        assert not one.state.startswith("failed")
        assert f"{one.name}: {one.state}" in printed
        assert one.reason in printed


def test_missing_packages_are_named_at_once(monkeypatch):
    monkeypatch.setattr(hosts, "is_importable", lambda name: name not in ("ftfy", "regex"))
    with pytest.raises(ImportError, match=r"needs ftfy, regex, .*: pip install ftfy regex$"):
        compat.apply()


def test_old_versions_are_named_in_one_warning(monkeypatch):
    versions = {"torch": "2.1.2+cu121", "numpy": "1.25.2", "mmcv-lite": "2.1.0"}
    monkeypatch.setattr(hosts, "version_of", versions.get)
    text = r"torch 2\.1\.2\+cu121 \(supported: 2\.4 and later\), numpy 1\.25\.2 \(supported: 1\.26"
    with pytest.warns(UserWarning, match=text) as caught:
        hosts.warn_of_old_versions()
    assert len(caught) == 1
    assert "mmcv" not in str(caught[0].message)


def test_oldest_versions_are_those_of_the_metadata():
    """Forks have other names, and mmcv-lite stands in an extra."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[2] / "setup.cfg")
    lines = config["options"]["install_requires"].splitlines()
    lines += config["options.extras_require"]["lite"].splitlines()
    required = [Requirement(line) for line in lines if line and not line.startswith("#")]
    found = {each.name: str(each.specifier).removeprefix(">=") for each in required}
    names = dict(hosts.PACKAGES)
    for title, oldest in hosts.OLDEST.items():
        assert {found[name] for name in names[title] if name in found} == {oldest}, title
