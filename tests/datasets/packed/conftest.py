import pytest
from mmengine.registry import init_default_scope

from glore_seg.datasets import pack_dataset


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmseg")


@pytest.fixture
def pack(few_scenes, tmp_path):
    pack_dataset(few_scenes, tmp_path / "pack", progress=False)
    return tmp_path / "pack"
