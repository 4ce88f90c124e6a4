"""Sizes to count for, by task."""

import pytest
from mmengine.config import Config

from glore_seg.apis.input_sizes import input_sizes
from glore_seg.errors import ConfigError


@pytest.mark.parametrize(
    ("scope", "published"),
    [("mmseg", (1024, 2048)), ("mmpretrain", (224, 224)), ("mmaction", (8, 224, 224))],
)
def test_published_sizes(scope, published):
    assert input_sizes(Config({"default_scope": scope})) == published


def test_sizes_asked_for():
    images, videos = (Config({"default_scope": scope}) for scope in ("mmseg", "mmaction"))
    assert input_sizes(images, [64]) == (64, 64)
    assert input_sizes(images, [64, 96]) == (64, 96)
    assert input_sizes(videos, [4, 64, 96]) == (4, 64, 96)
    with pytest.raises(ConfigError, match=r"\(64,\)"):
        input_sizes(videos, [64])
