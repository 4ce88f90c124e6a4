"""Every example of README and docs runs, in its page's order; what is only shown is checked."""

import re

import pytest

from glore_seg.errors import ConfigError
from tests.docs.blocks import PAGES, ROOT, Block, blocks_of, commands_of
from tests.docs.project import Project, run_python, small_configs

_RUN = ("python", "bash")
_SHOWN = ("text", "")  # synopses, folder trees, what a command prints
# Commands that run until they are interrupted stand in "console" blocks. What runs each of them:
_ENDLESS = {"projects.web_demo": "projects/web_demo/tests/test_serving.py"}


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples(page, tmp_path, load_tool, monkeypatch):
    blocks = blocks_of(page)
    known = (*_RUN, *_SHOWN, "console")
    strange = {block.language for block in blocks} - {*known}
    assert not strange, f"{name_of(page)}: fenced as {strange}; expected one of {known}"
    for block in blocks:
        if block.language == "console":
            check_endless(block)
    if not any(block.language in _RUN for block in blocks):
        return
    if page.stem == "video":
        pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")
    project = Project(tmp_path, load_tool)
    names = {"__name__": "__main__"}
    monkeypatch.syspath_prepend(str(tmp_path))
    with small_configs(tmp_path):
        for block in blocks:
            where = f"{name_of(page)}:{block.line}"
            try:
                if block.language == "python":
                    if "demo_output/" in block.text:
                        project.provide("demo_output/")
                    run_python(block.text, tmp_path, names)
                elif block.language == "bash":
                    for words in commands_of(block):
                        where = f"{name_of(page)}:{block.line}: {' '.join(words)}"
                        project.run(words)
            except (Exception, SystemExit) as error:
                raise AssertionError(f"{where} fails: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_that_are_only_shown(page):
    """Those of days, and synopses, do not run here: their files and options are looked at."""
    for block in blocks_of(page):
        if block.language not in _SHOWN:
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            tools = re.findall(r"python (tools/\S+\.py)", line)
            files = re.findall(r"\bconfigs/[\w/.-]+\.py\b", line)
            for file in (*tools, *files):
                assert (ROOT / file).is_file(), f"{name_of(page)}:{block.line}: {file}"
            if not tools:
                continue
            known = (ROOT / tools[0]).read_text() + (ROOT / "glore_seg/cli.py").read_text()
            for option in re.findall(r"(?<=[\s\[])--[a-z][\w-]*", line.partition(tools[0])[2]):
                assert f'"{option}"' in known, f"{name_of(page)}:{block.line}: {tools[0]} {option}"


def check_endless(block):
    for words in commands_of(block):
        name = words[2] if words[:2] == ["python", "-m"] else None
        assert name in _ENDLESS, f"{words} ends, so it goes into a bash block"
        assert f'"{name}"' in (ROOT / _ENDLESS[name]).read_text()


@pytest.mark.parametrize("command", ["make demo x", "python tools/test.py", "python -m tests.x y"])
def test_what_ends_is_not_left_out_of_the_run(command):
    with pytest.raises(AssertionError):
        check_endless(Block(1, "console", f"{command}\n"))


def test_a_failing_example_is_found(tmp_path, load_tool):
    project = Project(tmp_path, load_tool)
    with small_configs(tmp_path):
        for words, error in (
            (["python", "tools/train.py", "configs/none.py"], ConfigError),
            (["python", "tools/test.py", "--no-such-option"], SystemExit),
            (["python", "-m", "benchmarks.unit", "--no-such-option"], SystemExit),
            (["pip", "install", "glore_seg[none]"], ValueError),
            (["make", "none"], ValueError),
            (["source", "none"], ValueError),
            (["curl", "example.com"], ValueError),
        ):
            with pytest.raises(error):
                project.run(words)
