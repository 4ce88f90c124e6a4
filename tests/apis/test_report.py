"""The files of a training; the page of its report is tested with its tool."""

import os

import pytest

from glore_seg.apis.config import find_checkpoint, find_config
from glore_seg.errors import ConfigError


def make(folder, *names):
    for age, name in enumerate(names):
        (folder / name).touch()
        os.utime(folder / name, (1000 + age, 1000 + age))


def test_the_one_config(tmp_path):
    with pytest.raises(ConfigError, match=r"none.*--config"):
        find_config(tmp_path)
    make(tmp_path, "a.py")
    assert find_config(tmp_path).name == "a.py"
    make(tmp_path, "b.py")
    with pytest.raises(ConfigError, match=r"a\.py, b\.py"):
        find_config(tmp_path)


def test_the_best_checkpoint_before_the_last(tmp_path):
    with pytest.raises(ConfigError, match="--checkpoint"):
        find_checkpoint(tmp_path)
    for names, found in (
        (("iter_900.pth", "iter_1000.pth"), "iter_1000.pth"),
        (("best_aAcc_iter_900.pth",), "best_aAcc_iter_900.pth"),
        (("best_mIoU_iter_900.pth", "best_mIoU_iter_1000.pth"), "best_mIoU_iter_1000.pth"),
    ):
        make(tmp_path, *names)
        assert find_checkpoint(tmp_path).name == found
