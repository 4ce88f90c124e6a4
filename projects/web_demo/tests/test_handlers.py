import base64
import io
import json
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import ConfigError
from projects.web_demo.handlers import (
    ALONE,
    MAX_PIXELS,
    Handlers,
    Limits,
    UploadError,
    load_page_models,
    read_upload,
)
from projects.web_demo.tests.conftest import encode, noise
from tests.html_page import Page
from tests.png_headers import declared

UNIT = "decode_head.units.0"


@pytest.fixture
def handlers(models):
    return Handlers(models, Limits(megapixels=8))


def decoded(source):
    kind, data = source.split(";base64,")
    return kind, np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_segments_an_upload(handlers, models, street):
    view = handlers.segment(street.read_bytes(), "second")
    json.dumps(view)
    assert (view["width"], view["height"], view["note"]) == (128, 64, "128 x 64 pixels.")
    kind, shown = decoded(view["image"])
    assert kind == "data:image/jpeg"
    image = cv2.imread(str(street))[..., ::-1]
    assert np.abs(shown.astype(int) - image).mean() < 8
    assert view["classes"][13] == {"name": "car", "color": [0, 0, 142]}
    (pane,) = view["panes"]
    assert pane["title"] == "second"
    labels = models["second"](street).labels
    assert len(np.unique(labels)) > 1
    sent = zlib.decompress(base64.b64decode(pane["labels"]))
    np.testing.assert_array_equal(np.frombuffer(sent, np.uint8).reshape(64, 128), labels)
    assert pane["shares"] == pytest.approx([float((labels == i).mean()) for i in range(19)])
    train, full = (decoded(file["source"]) for file in pane["files"])
    assert train[0] == full[0] == "data:image/png"
    np.testing.assert_array_equal(train[1], labels)
    np.testing.assert_array_equal(full[1] == 26, labels == 13)
    assert "agreement" not in view


class Constant:
    """A network without units that predicts the given label map."""

    classes = ("cat", "dog", "sky")
    palette = ((128, 64, 128), (0, 0, 142), (70, 130, 180))
    model = None  # as of ONNX files

    def __init__(self, labels):
        self.labels = labels

    def __call__(self, image):
        return self


def test_compares_two_different_models():
    first = np.zeros((48, 96), np.uint8)
    second = first.copy()
    second[12:36, 24:48] = 2
    handlers = Handlers({"a": Constant(first), "b": Constant(second)})
    content = encode(noise(48, 96, 3))
    view = handlers.segment(content, "a", "b")
    assert [pane["title"] for pane in view["panes"]] == ["a", "b"]
    assert view["agreement"] == 0.875
    assert view["boxes"] == [[0.25, 0.25, 0.25, 0.5]]
    # label ids need the names of Cityscapes
    assert [file["name"] for file in view["panes"][0]["files"]] == ["trainIds"]
    for other in (ALONE, "a"):
        assert len(handlers.segment(content, "a", other)["panes"]) == 1


def test_bad_uploads_get_a_message(handlers):
    large = encode(np.zeros((3000, 3000), np.uint8))
    assert "too many pixels" in handlers.segment(large, "first")["message"]
    assert "not an image" in handlers.maps(b"text", "first", UNIT, 4, "red-green")


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (17, 19, 3)])
def test_odd_sizes(handlers, shape):
    content = encode(noise(*shape))
    shares = handlers.segment(content, "first")["panes"][0]["shares"]
    assert sum(shares) == pytest.approx(1)
    assert len(Page(handlers.maps(content, "first", UNIT, 2, "red-green")).attributes("img")) == 2


def test_errors_of_the_network_stay_in_the_log(caplog):
    def fail(image):
        raise ValueError("internal")

    message = Handlers({"a": fail}).segment(encode(noise(9, 9, 3)), "a")["message"]
    assert "cannot process this image" in message
    assert "internal" not in message
    assert "internal" in caplog.text


def test_maps_and_graphs(handlers, street):
    page = Page(handlers.maps(street.read_bytes(), "first", UNIT, 4, "orange-blue"))
    sources = [image["src"].split(";")[0] for image in page.attributes("img")]
    assert sources == ["data:image/jpeg"] * 4
    assert "orange is a positive weight" in "".join(page.text)
    images = Page(handlers.graphs("first", UNIT)).attributes("img")
    assert [image["src"].split(";")[0] for image in images] == ["data:image/svg+xml"] * 2


def test_units(handlers):
    assert handlers.units("first") == ([UNIT], UNIT)
    without = Handlers({"a": Constant(None)})
    assert without.units("a") == ([], None)
    assert "has no GloRe unit" in without.graphs("a", None)
    assert "has no GloRe unit" in without.maps(None, "a", None, 4, "red-green")


def test_before_an_upload(handlers):
    assert handlers.segment(None, "first") == {"message": ""}
    assert "Choose an image first." in handlers.maps(None, "first", UNIT, 4, "red-green")


def test_names_configs_and_classes(checkpoints, small_config, tmp_path):
    copy, best = tmp_path / "copy" / "first.pth", tmp_path / "copy" / "first.best"
    copy.parent.mkdir()
    for file in (copy, best):
        file.write_bytes(checkpoints[0].read_bytes())
    for files, names in (
        ([checkpoints[0], copy], [f"{checkpoints[0].parent.name}/first", "copy/first"]),
        ([copy, best], ["first.pth", "first.best"]),
    ):
        assert [*load_page_models(files, [small_config], device="cpu")] == names
    with pytest.raises(ConfigError, match="expected each once"):
        load_page_models([copy, f"{tmp_path}/copy/../copy/first.pth"])
    with pytest.raises(ConfigError, match="2 configs for 3 checkpoints"):
        load_page_models(["a.pth", "b.pth", "c.pth"], ["x.py", "y.py"])
    other = tmp_path / "other.py"
    classes = "dict(dataset=dict(metainfo=dict(classes=('road', 'car'))))"
    other.write_text(f"_base_ = {small_config!r}\ntest_dataloader = {classes}\n")
    with pytest.raises(ConfigError, match=r"different classes.*second: road, car"):
        load_page_models(checkpoints, [small_config, str(other)], device="cpu")


def test_a_network_of_other_channels_is_refused(checkpoints, small_config, tmp_path):
    other = tmp_path / "other.py"
    other.write_text(
        f"_base_ = {small_config!r}\ntest_pipeline = _base_.test_dataloader.dataset.pipeline\n"
        "test_pipeline[0]['color_type'] = 'unchanged'\n"
        "test_dataloader = dict(dataset=dict(pipeline=test_pipeline))\n"
    )
    with pytest.raises(ConfigError, match="unchanged"):
        load_page_models(checkpoints[:1], [str(other)], device="cpu")


def read(content, **limits):
    return read_upload(content, Limits(**limits))[0]


def test_modes_and_formats_become_rgb():
    image = noise(5, 7, 3)
    for kind in ("PNG", "BMP"):
        np.testing.assert_array_equal(read(encode(image, kind)), image)
    gray = noise(4, 6)
    rgb = np.repeat(gray[..., None], 3, axis=2)
    np.testing.assert_array_equal(read(encode(gray)), rgb)
    np.testing.assert_array_equal(read(encode(gray.astype(np.uint16) * 257)), rgb)
    rgba = noise(4, 6, 4)
    np.testing.assert_array_equal(read(encode(rgba)), rgba[..., :3])
    indexed = read(encode(Image.fromarray(rgb).quantize(256)))
    assert np.abs(indexed.astype(int) - rgb).max() < 4


def test_large_images_are_shrunk_and_oriented():
    array = np.zeros((2048, 4096, 3), np.uint8)
    array[:, :2048] = 255  # the left half is white
    exif = Image.Exif()
    exif[274] = 6  # rotated clockwise: the upper half is white
    image, shrunk_from = read_upload(encode(array, "JPEG", exif=exif), Limits())
    height, width = image.shape[:2]
    assert 0.99 * MAX_PIXELS < height * width <= MAX_PIXELS
    assert height == pytest.approx(2 * width, abs=2)
    assert image[: height // 2 - 9].min() > 240
    assert image[height // 2 + 9 :].max() < 15
    assert shrunk_from == (4096, 2048)


@pytest.mark.parametrize(
    ("content", "limits", "message"),
    [
        (b"", {}, "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", {}, "not an image"),
        (encode(noise(4, 4), "TIFF"), {}, "not an image"),
        (encode(noise(64, 64, 3)), {"megapixels": 0.004}, "at most 0.004 megapixels"),
        (declared(encode(noise(9, 9, 3)), 30000, 30000), {}, "at most 50 megapixels"),
        (declared(encode(noise(9, 9, 3)), 900, 900), {}, "corrupted"),
        (encode(noise(64, 64, 3), "JPEG")[:1500], {}, "corrupted"),
    ],
)
def test_rejects_unusable_files(content, limits, message):
    with pytest.raises(UploadError, match=message):
        read(content, **limits)


def test_limits_are_above_zero():
    with pytest.raises(ConfigError, match="megapixels=0"):
        Limits(megapixels=0)
