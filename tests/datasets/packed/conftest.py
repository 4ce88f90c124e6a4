import pytest

from glore_seg.datasets import pack_dataset


@pytest.fixture
def pack(few_scenes, tmp_path):
    pack_dataset(few_scenes, tmp_path / "pack", progress=False)
    return tmp_path / "pack"
