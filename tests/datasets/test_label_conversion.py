"""Label maps of other formats become one channel of 8 bits, by the command that errors name."""

import numpy as np
import pytest
from PIL import Image

from glore_seg.datasets.label_checks import decode_label
from glore_seg.datasets.label_conversion import convert_labels, parse_mapping
from glore_seg.errors import ConfigError, DataError, OutputError

BINARY = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
GRAY = Image.fromarray(BINARY)


@pytest.mark.parametrize(
    ("image", "mapping"),
    [
        (GRAY, []),
        (Image.fromarray(BINARY * 255), ["255=1"]),
        (Image.merge("LA", [GRAY, GRAY]), []),
        (Image.merge("RGB", [GRAY] * 3), []),
        (Image.merge("RGBA", [GRAY] * 4), []),
        (Image.fromarray(BINARY.astype(np.uint16)), []),
        (Image.fromarray(BINARY.astype(np.uint16) * 26001), ["26001=1"]),
        (Image.fromarray(BINARY * 255).convert("1"), []),
        (Image.merge("RGB", [GRAY.point(lambda v: v * 9), GRAY, GRAY]), ["0,0,0=0", "9,1,1=1"]),
    ],
)
def test_converts(tmp_path, image, mapping):
    (tmp_path / "in/a").mkdir(parents=True)
    image.save(tmp_path / "in/a/1.png")
    if image is not GRAY and mapping != ["255=1"]:
        with pytest.raises(DataError, match=r"1\.png .*dataset_converters/labels\.py"):
            decode_label((tmp_path / "in/a/1.png").read_bytes(), path="1.png")
    mapping = parse_mapping(mapping)
    assert convert_labels(tmp_path / "in", tmp_path / "out", mapping, progress=False) == 1
    data = (tmp_path / "out/a/1.png").read_bytes()
    np.testing.assert_array_equal(decode_label(data, path="1.png"), BINARY)


def test_few_bits_and_palettes(tmp_path):
    palette = Image.fromarray(BINARY + 1, mode="P")
    palette.putpalette([0, 0, 0, 9, 9, 9, 200, 60, 0])
    palette.save(tmp_path / "1.png", bits=2)
    assert convert_labels(tmp_path, tmp_path / "out", {}, progress=False) == 1
    for path in (tmp_path / "1.png", tmp_path / "out/1.png"):
        label = decode_label(path.read_bytes(), path=path.name)
        np.testing.assert_array_equal(label, BINARY + 1)


def test_existing_files_are_replaced_only_if_asked(tmp_path):
    (tmp_path / "in").mkdir()
    GRAY.save(tmp_path / "in/1.png")
    options = {"src": tmp_path / "in", "out": tmp_path / "out", "progress": False}
    convert_labels(**options, mapping={})
    with pytest.raises(OutputError, match=r"1\.png exists"):
        convert_labels(**options, mapping={(1,): 7})
    written = Image.open(tmp_path / "out/1.png")
    np.testing.assert_array_equal(np.asarray(written), BINARY)
    convert_labels(**options, mapping={(1,): 7}, overwrite=True)
    written = Image.open(tmp_path / "out/1.png")
    np.testing.assert_array_equal(np.asarray(written), 7 * BINARY)


def test_refuses(tmp_path):
    Image.fromarray(BINARY.astype(np.uint16) * 300).save(tmp_path / "1.png")
    with pytest.raises(DataError, match=r"1\.png holds \[\(300,\)\]"):
        convert_labels(tmp_path, tmp_path / "out", {}, progress=False)
    Image.merge("RGB", [GRAY, GRAY.point(lambda v: 0), GRAY]).save(tmp_path / "1.png")
    with pytest.raises(DataError, match=r"1\.png holds \[\(1, 0, 1\)\]"):
        convert_labels(tmp_path, tmp_path / "out", {(0, 0, 0): 0, (1,): 1}, progress=False)
    with pytest.raises(ConfigError, match="another folder"):
        convert_labels(tmp_path, tmp_path, {})
    with pytest.raises(DataError, match=r"no \*\.tif"):
        convert_labels(tmp_path, tmp_path / "out", {}, suffix=".tif")


@pytest.mark.parametrize("text", ["255", "a=1", "1,2=1", "1=256", "1=-1"])
def test_refuses_other_mappings(text):
    with pytest.raises(ConfigError, match=text):
        parse_mapping([text])
