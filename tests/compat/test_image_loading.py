"""The patched loaders name the file that they cannot read."""

import re

import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from glore_seg.datasets import LoadCheckedAnnotations
from glore_seg.errors import DataError

LOADERS = {
    "img_path": [LoadImageFromFile(), LoadImageFromFile(imdecode_backend="pillow")],
    "seg_map_path": [
        LoadAnnotations(),
        LoadAnnotations(imdecode_backend="cv2"),
        LoadCheckedAnnotations(),
    ],
}
CASES = [(key, loader) for key, loaders in LOADERS.items() for loader in loaders]


def load(key, loader, path):
    return loader({key: str(path), "seg_fields": [], "reduce_zero_label": False})


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.eye(64, dtype=np.uint8)).save(path)
    return path


@pytest.mark.parametrize("content", [None, b"", b"no image", b"\x89PNG\r\n\x1a\n\0\0"])
@pytest.mark.parametrize(("key", "loader"), CASES)
def test_a_file_that_is_not(key, loader, content, png):
    if content is None:
        png.unlink()
    else:
        png.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(str(png))) as raised:
        load(key, loader, png)
    assert raised.value.__cause__ is not None or isinstance(loader, LoadCheckedAnnotations)


def test_settings_that_do_not_fit_keep_their_error(png):
    with pytest.raises(AssertionError, match="reduce_zero_label"):
        load("seg_map_path", LoadAnnotations(reduce_zero_label=True), png)


def test_an_image_may_be_ignored(png):
    png.write_bytes(b"")
    assert load("img_path", LoadImageFromFile(ignore_empty=True), png) is None
