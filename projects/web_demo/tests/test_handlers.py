import numpy as np
import pytest
from PIL import Image

from projects.web_demo.handlers import ALONE, Handlers
from projects.web_demo.tests.images import encode, noise
from projects.web_demo.uploads import Limits
from tests.html_page import Page

UNIT = "decode_head.units.0"


@pytest.fixture
def handlers(page_models):
    return Handlers(page_models, Limits(megapixels=8))


def test_segments_an_upload(handlers, page_models, street):
    view = handlers.segment(street.read_bytes(), "second")
    labels = page_models["second"].segment(np.asarray(Image.open(street).convert("RGB")))
    assert [pane["title"] for pane in view["panes"]] == ["second"]
    expected = [float((labels == i).mean()) for i in range(19)]
    assert view["panes"][0]["shares"] == pytest.approx(expected)
    assert view["note"] == "128 x 64 pixels."


def test_compares_two_different_models(handlers, street):
    content = street.read_bytes()
    view = handlers.segment(content, "second", "first")
    assert [pane["title"] for pane in view["panes"]] == ["second", "first"]
    assert 0 <= view["agreement"] <= 1
    for other in (ALONE, "first"):
        assert len(handlers.segment(content, "first", other)["panes"]) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not an image", "not an image"),
        (encode(np.zeros((3000, 3000), np.uint8)), "too many pixels"),
    ],
)
def test_bad_uploads_get_a_message(handlers, content, message):
    assert message in handlers.segment(content, "first")["message"]
    assert message in handlers.maps(content, "first", UNIT, 4, "red-green")


def test_before_an_upload(handlers):
    assert handlers.segment(None, "first") == {"message": ""}
    assert "Choose an image first." in handlers.maps(None, "first", UNIT, 4, "red-green")


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (300, 1, 3), (17, 19, 3)])
def test_odd_sizes(handlers, shape):
    content = encode(noise(*shape))
    shares = handlers.segment(content, "first")["panes"][0]["shares"]
    assert sum(shares) == pytest.approx(1)
    assert len(Page(handlers.maps(content, "first", UNIT, 2, "red-green")).attributes("img")) == 2


def test_errors_of_the_network_stay_in_the_log(handlers, street, monkeypatch, caplog):
    def fail(image):
        raise ValueError("internal")

    monkeypatch.setattr(handlers.models["first"], "segment", fail)
    message = handlers.segment(street.read_bytes(), "first")["message"]
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
    assert "has no GloRe unit" in handlers.graphs("first", None)
    assert "has no GloRe unit" in handlers.maps(None, "first", None, 4, "red-green")
