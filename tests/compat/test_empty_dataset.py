"""A dataset without samples says so, and what its folder holds."""

import pytest

from glore_seg.errors import DataError
from tests.datasets.label_folders import build, write


@pytest.mark.parametrize("test_mode", [False, True])
def test_upper_case_suffixes(tmp_path, test_mode):
    write(tmp_path, [[0]] * 3, (".JPG",))
    with pytest.raises(DataError, match=r"no samples.*img_suffix is '\.jpg'.*holds 3 \*\.JPG"):
        build(tmp_path, test_mode=test_mode)
    assert len(build(tmp_path, img_suffix=".JPG")) == 3
