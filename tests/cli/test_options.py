"""Options that the tools share."""

import argparse
import os

import pytest

from glore_seg.cli import add_cfg_options, set_launcher
from glore_seg.errors import ConfigError


@pytest.mark.parametrize("word", ["model", "model=(1,[2)", "model=[1,2"])
def test_an_option_that_is_not_key_value(word, capsys):
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["--cfg-options", "a=1", word])
    assert f"['a=1', '{word}'] are not KEY=VALUE" in capsys.readouterr().err


def test_cfg_options():
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    args = parser.parse_args(["--cfg-options", "a.b=1", "c=[x,(2,3)]", "d=None"])
    assert args.cfg_options == {"a.b": 1, "c": ["x", (2, 3)], "d": None}


def test_several_processes_need_a_launcher(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with pytest.raises(ConfigError, match=r"WORLD_SIZE is 2"):
        set_launcher("none", 0)
    set_launcher("pytorch", 3)
    assert os.environ["LOCAL_RANK"] == "3"
    monkeypatch.setenv("WORLD_SIZE", "1")
    set_launcher("none", 0)
    assert os.environ["LOCAL_RANK"] == "3"
