"""Configs as text: equal to what mmengine wrote, and never run."""

import math

import pytest
from mmengine.config import Config

from glore_seg.apis import load_config
from glore_seg.checkpoints.embedded_config import find_embedded_config, parse_config
from glore_seg.checkpoints.literals import parse_assignments
from tests.fixtures import REPOSITORY


@pytest.mark.parametrize("name", ["fcn_r50_glore_cityscapes.py", "fcn_r18_glore_camvid.py"])
def test_what_mmengine_writes_is_read_back(name):
    cfg = load_config(str(REPOSITORY / "configs" / name))
    found = parse_config(cfg.pretty_text, source=name)
    assert found.to_dict() == cfg.to_dict()


def test_every_kind_of_value():
    values = {
        "model": {"a-b": 1, "c": [None, True, -2.5, (1,), (), "it's"], "d": {}},
        "odd": {3: {"x"}, "empty": set()},
        "huge": [math.inf, -math.inf, 1e-12],
    }
    assert parse_assignments(Config(values).pretty_text, source="x") == values
    assert math.isnan(parse_assignments("a = nan", source="x")["a"])
    assert parse_assignments('"""Text."""\na = 1', source="x") == {"a": 1}


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "a = open('x')",
        "a = dict([(1, 2)])",
        "a = dict(**b)",
        "a = dict(**{})",
        "a = {**{}}",
        "a = {(): 1}",
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
    ],
)
def test_more_than_data_is_refused(line):
    with pytest.raises(ValueError, match=r"line 2 of the file is more than data \(.*expected lit"):
        parse_assignments(f"z = 1\n{line}", source="the file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = (", "x is no text of literal settings"),
        ("a = " + "[" * 100_000, "x is no text of literal settings"),
        ("a = " + "-" * 100_000 + "1", "x is no text of literal settings"),
        ("a = '\0'", "x is no text of literal settings"),
        ("a = '\ud800'", "x is no text of literal settings"),
        (" " * 2_000_001, "x has 2000001 characters; expected at most 2000000"),
    ],
)
def test_text_that_would_choke_the_parser(text, message):
    with pytest.raises(ValueError, match=message):
        parse_assignments(text, source="x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = 3", "x has no model; expected the config of a network"),
        ("model = {}\nfilename = 'a'", "x is no config: filename is reserved"),
    ],
)
def test_what_is_no_config(text, message):
    with pytest.raises(ValueError, match=message):
        parse_config(text, source="x")


def test_the_file_itself_goes_first(tmp_path):
    path = tmp_path / "glore.pth"
    (tmp_path / "glore.py").write_text("model = dict(type='B')")
    assert find_embedded_config(path, {"cfg": "model = dict(type='A')"}).model.type == "A"
    assert find_embedded_config(path, {}).model.type == "B"
    (tmp_path / "glore.json").write_text('{"model": {"type": "C"}}')
    (tmp_path / "config.json").write_text('{"model": {"type": "D"}}')
    assert find_embedded_config(path, {"cfg": ""}).model.type == "C"
    assert find_embedded_config(tmp_path / "model.pth", {}).model.type == "D"
