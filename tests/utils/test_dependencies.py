"""Optional dependencies."""

import json
import sys

import pytest

from glore_seg.utils.dependencies import MissingDependencyError, require


def test_gives_the_module():
    assert require("json", "export") is json


@pytest.mark.parametrize("module", ["no_such_library", "no_such_library.part"])
def test_a_missing_one_names_the_command(module):
    with pytest.raises(MissingDependencyError, match=r"pip install 'glore_seg\[export\]'"):
        require(module, "export")


def test_what_no_extra_can_bring_has_its_own_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "mmaction", None)
    with pytest.raises(
        MissingDependencyError, match=r"glore_seg\[video\]', then pip install --no-deps mmaction2$"
    ):
        require("mmaction", "video")


def test_what_the_dependency_lacks_is_its_own_message(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import no_such_library")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_library'") as caught:
        require("half_installed", "export")
    assert not isinstance(caught.value, MissingDependencyError)
