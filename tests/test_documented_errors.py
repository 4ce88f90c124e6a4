import pickle

import numpy as np
import pytest

from glore_seg.apis.inference import read_image_bytes, to_rgb
from glore_seg.documented_errors import as_line, is_documented
from glore_seg.utils.files import read_lines


def error_of(call):
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("it raised nothing")


def test_ours_and_the_systems_are_documented(tmp_path):
    assert is_documented(error_of(lambda: read_image_bytes(b"", name="a.png")))
    assert is_documented(error_of(lambda: to_rgb(3)))  # a TypeError
    assert is_documented(error_of(lambda: open(tmp_path / "none")))  # noqa: SIM115
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    assert is_documented(error_of(lambda: read_lines(tmp_path / "a.txt")))


def test_what_others_raise_is_not():
    for call in (
        lambda: np.zeros(2) + np.zeros(3),
        lambda: pickle.loads(b"no"),
        lambda: {}["key"],
        lambda: int("x"),
    ):
        assert not is_documented(error_of(call))
    assert not is_documented(OSError("broken data stream when reading image file"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\n  lines\there", "two lines here"),
        ("a\x1b[2Jb\u202ec", "a\\x1b[2Jb\\u202ec"),
        ("", "ValueError"),
        ("x" * 3000, "x" * 1996 + " ..."),
    ],
)
def test_one_line_that_a_terminal_can_print(text, line):
    assert as_line(ValueError(text)) == line
