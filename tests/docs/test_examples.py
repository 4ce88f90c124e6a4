"""Every example of README and docs runs, in the order of its page."""

import pytest

from tests.docs.blocks import PAGES, ROOT, blocks_of, commands_of
from tests.docs.project import Project, run_python, small_configs

_RUN = ("python", "bash")
_SHOWN = ("text", "")  # synopses, folder trees, what a command prints


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples(page, tmp_path, load_tool, monkeypatch):
    blocks = blocks_of(page)
    strange = {block.language for block in blocks} - {*_RUN, *_SHOWN}
    assert not strange, f"{name_of(page)}: fenced as {strange}; expected one of {_RUN + _SHOWN}"
    if not any(block.language in _RUN for block in blocks):
        return
    project = Project(tmp_path, load_tool)
    names = {"__name__": "__main__"}
    monkeypatch.syspath_prepend(str(tmp_path))
    with small_configs(tmp_path):
        for block in blocks:
            where = f"{name_of(page)}:{block.line}"
            try:
                if block.language == "python":
                    run_python(block.text, tmp_path, names)
                elif block.language == "bash":
                    for words in commands_of(block):
                        where = f"{name_of(page)}:{block.line}: {' '.join(words)}"
                        project.run(words)
            except (Exception, SystemExit) as error:
                raise AssertionError(f"{where} fails: {type(error).__name__}: {error}") from error


def test_a_failing_example_is_found(tmp_path, load_tool):
    project = Project(tmp_path, load_tool)
    with small_configs(tmp_path):
        for words, error in (
            (["python", "tools/train.py", "configs/none.py"], FileNotFoundError),
            (["python", "tools/test.py", "--no-such-option"], SystemExit),
            (["python", "-m", "benchmarks.unit", "--no-such-option"], SystemExit),
            (["pip", "install", "glore_seg[none]"], ValueError),
            (["make", "none"], ValueError),
            (["curl", "example.com"], ValueError),
        ):
            with pytest.raises(error):
                project.run(words)
