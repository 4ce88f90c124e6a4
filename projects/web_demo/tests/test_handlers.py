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
    return Handlers(page_models, Limits(megabytes=1, megapixels=8))


def test_an_upload_is_segmented(handlers, page_models, street):
    view = handlers.segment(street.read_bytes(), "second")
    image = np.asarray(Image.open(street).convert("RGB"))
    labels = page_models["second"].segment(image).labels
    shares = [float((labels == i).mean()) for i in range(19)]
    assert [pane["title"] for pane in view["panes"]] == ["second"]
    assert view["panes"][0]["shares"] == pytest.approx(shares)
    assert view["note"] == "128 x 64 pixels."


def test_two_are_compared_unless_they_are_one(handlers, street):
    content = street.read_bytes()
    view = handlers.segment(content, "second", "first")
    assert [pane["title"] for pane in view["panes"]] == ["second", "first"]
    assert 0 <= view["agreement"] <= 1
    for other in (ALONE, "first"):
        assert len(handlers.segment(content, "first", other)["panes"]) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not an image", "The file is no image"),
        (encode(noise(64, 64, 3))[:2000], "corrupted or cut off"),
        (encode(np.zeros((3000, 3000), np.uint8)), "too many pixels"),
        (bytes(2**20 + 1), "at most 1 MB"),
    ],
)
def test_bad_uploads_get_a_message(handlers, content, message):
    assert message in handlers.segment(content, "first")["message"]
    assert message in "".join(Page(handlers.maps(content, "first", UNIT, 4, "red-green")).text)


def test_before_an_image_is_chosen(handlers):
    assert handlers.segment(None, "first") == {"message": ""}
    assert "Choose an image first." in handlers.maps(None, "first", UNIT, 4, "red-green")


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (300, 1, 3), (17, 19, 3)])
def test_odd_sizes_get_a_result(handlers, shape):
    content = encode(noise(*shape))
    view = handlers.segment(content, "first")
    assert view["panes"][0]["shares"]
    assert sum(view["panes"][0]["shares"]) == pytest.approx(1)
    assert len(Page(handlers.maps(content, "first", UNIT, 2, "red-green")).attributes("img")) == 2


def test_an_image_that_a_network_cannot_take_gets_a_message(handlers, street, monkeypatch):
    def refuse(image):
        raise ValueError("inner words")

    monkeypatch.setattr(handlers.models["first"], "segment", refuse)
    message = handlers.segment(street.read_bytes(), "first")["message"]
    assert message.startswith("The network cannot take this image of 128 x 64 pixels.")
    assert "inner" not in message


def test_maps_of_the_most_distinct_nodes(handlers, street):
    page = Page(handlers.maps(street.read_bytes(), "first", UNIT, 4, "orange-blue"))
    images = page.attributes("img")
    assert len(images) == 4
    assert all(image["src"].startswith("data:image/jpeg") for image in images)
    assert all(image["alt"].startswith("Projection weights of node") for image in images)
    assert "orange is a positive weight, blue a negative one" in "".join(page.text)


def test_graph_and_matrix(handlers):
    page = Page(handlers.graphs("first", UNIT))
    images = page.attributes("img")
    assert [image["src"].split(";")[0] for image in images] == ["data:image/svg+xml"] * 2
    assert images[1]["alt"] == "Adjacency matrix, 6 x 6"


def test_units(handlers):
    assert handlers.units("first") == ([UNIT], UNIT)
    assert "first has no GloRe unit" in handlers.graphs("first", None)
    assert "first has no GloRe unit" in handlers.maps(None, "first", None, 4, "red-green")
