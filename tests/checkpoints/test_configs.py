"""Configs as text are parsed as mmengine wrote them, and never run."""

import math

import pytest
from mmengine.config import Config

from glore_seg.apis import load_config
from glore_seg.checkpoints.configs import (
    find_embedded_config,
    parse_assignments,
    parse_config,
)
from glore_seg.errors import CheckpointError
from tests.fixtures import REPOSITORY


@pytest.mark.parametrize("name", ["fcn_r50_glore_cityscapes.py", "fcn_r18_glore_camvid.py"])
def test_round_trip_of_our_configs(name):
    cfg = load_config(str(REPOSITORY / "configs" / name))
    found = parse_config(cfg.pretty_text, source=name)
    assert found.to_dict() == cfg.to_dict()


def test_round_trip_of_all_kinds_of_values():
    values = {
        "model": {"a-b": 1, "c": [None, True, -2.5, (1,), (), "it's"], "d": {}},
        "odd": {3: {"x"}, "empty": set()},
        "huge": [math.inf, -math.inf, 1e-12],
    }
    assert parse_assignments(Config(values).pretty_text) == values
    assert math.isnan(parse_assignments("a = nan")["a"])
    assert parse_assignments('"""Text."""\na = 1') == {"a": 1}


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "a = open('x')",
        "a = dict([(1, 2)])",
        "a = dict(**b)",
        "a = dict({'c': 1}, **b)",
        "a = {**{}}",
        "a = dict(b=open('x'))",
        "a = b",
        "a = 1 + 1",
        "a = f'{1}'",
        "a = -'x'",
        "a = [x for x in ()]",
        "a = (lambda: 1)",
        "a = 'x'.upper()",
        "a, b = 1, 2",
        "a.b = 1",
        "a += 1",
        "del a",
        "1",
        "a = (",
        "a = '\0'",
        "a = '\ud800'",
        "a = " + "[" * 100_000,
        "a = " + "-" * 100_000 + "1",
        " " * 2_000_001,
        "filename = 'a'",
        "model = 3",
    ],
    ids=lambda line: line[:12],
)
def test_rejects_everything_else(line):
    with pytest.raises(CheckpointError, match=r"^x is not a config"):
        parse_config(f"model = dict()\n{line}", source="x")


def test_the_checkpoint_comes_first(tmp_path):
    path = tmp_path / "glore.pth"
    (tmp_path / "glore.py").write_text("model = dict(type='B')")
    assert find_embedded_config(path, {"cfg": "model = dict(type='A')"}).model.type == "A"
    assert find_embedded_config(path, {}).model.type == "B"
    (tmp_path / "glore.json").write_text('{"model": {"type": "C"}}')
    (tmp_path / "config.json").write_text('{"model": {"type": "D"}}')
    assert find_embedded_config(path, {"cfg": ""}).model.type == "C"
    assert find_embedded_config(tmp_path / "model.pth", {}).model.type == "D"
    with pytest.raises(CheckpointError, match="no config in it"):
        find_embedded_config(tmp_path / "elsewhere" / "model.pth", {})
