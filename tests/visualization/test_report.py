import base64

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from glore_seg.visualization.report import embed_figure, embed_image, render
from tests.html_page import Page

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"
NAN = float("nan")


def content(embedded, kind):
    head, _, data = embedded.source.partition(",")
    assert head == f"data:image/{kind};base64"
    return base64.b64decode(data)


def decode(stored):
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(stored, np.uint8), 1), cv2.COLOR_BGR2RGB)


def test_png_is_lossless():
    image = np.random.default_rng(0).integers(0, 256, (10, 20, 3), np.uint8)
    embedded = embed_image(image, alt="noise", caption="some noise")
    assert np.array_equal(decode(content(embedded, "png")), image)
    assert (embedded.alt, embedded.caption) == ("noise", "some noise")


def test_wide_images_are_shrunk_without_mixing_colors():
    image = np.zeros((40, 100, 3), np.uint8)
    image[:, 50:] = (128, 64, 127)
    shrunk = decode(content(embed_image(image, alt="", width=33), "png"))
    assert shrunk.shape == (13, 33, 3)
    assert {tuple(c) for c in shrunk.reshape(-1, 3).tolist()} == {(0, 0, 0), (128, 64, 127)}


def test_photos_are_jpeg():
    image = np.full((40, 100, 3), (200, 30, 60), np.uint8)
    photo = decode(content(embed_image(image, alt="", photo=True), "jpeg"))
    assert np.abs(photo.astype(int) - image).max() <= 3


def test_figures_are_svg_without_fonts_and_date():
    figure = Figure()
    figure.subplots().set_title("loss")
    svg = content(embed_figure(figure, alt="loss"), "svg+xml").decode()
    assert svg.lstrip().startswith("<?xml")
    assert "<text" not in svg  # text is drawn as outlines
    assert "<dc:date>" not in svg


def page(text="name", **changes):
    """A page with the same text in all parts."""
    image = embed_image(np.zeros((4, 8, 3), np.uint8), alt=text, caption=text)
    parts = {
        **dict.fromkeys(("title", "subtitle", "config", "projections_note"), text),
        **{key: [(text, text)] for key in ("tiles", "recipe", "speed")},
        "curves": [image],
        "columns": ["IoU", text],
        "classes": [(text, (128, 64, 128), [52.55, 33.3])],
        "categories": [(text, 61.0, NAN)],
        "confusion": image,
        "predictions": [[image] * 4],
        "legend": [(text, (0, 0, 142))],
        "projections": [[image] * 5],
        "projection_colors": ((255, 0, 0), (0, 255, 0)),
    }
    return Page(render(**{**parts, **changes}))


def test_the_page_has_its_scores_and_is_self_contained():
    found = page()
    found.assert_self_contained()
    headings = [f"#{a['id']}" for a in found.attributes("h2")]
    assert headings == [a["href"] for a in found.attributes("a")]
    assert {"52.5", "33.3", "-", "61.0", "IoU, %"} <= {text.strip() for text in found.text}
    styles = {a.get("style") for _, a in found.tags}
    assert {"width: 52.5%", "background: rgb(128, 64, 128)"} <= styles


def test_text_is_escaped():
    found = page(HOSTILE)
    found.assert_self_contained()
    assert not found.attributes("script")
    assert all("onerror" not in attributes for _, attributes in found.tags)
    assert "<script" not in found.html
    # All of it is text of the page.
    assert "".join(found.text).count(HOSTILE) == "".join(page("name").text).count("name")
    assert [a["alt"] for a in found.attributes("img")] == [HOSTILE] * 11


def test_colors_are_numbers():
    with pytest.raises(ValueError, match="invalid literal for int"):
        page(legend=[("road", ("red; }", 0, 0))])


def test_empty_parts():
    classes = [("road", (0, 0, 0), [NAN, NAN])]
    found = page(curves=[], categories=[], projections=[], classes=classes)
    text = " ".join(found.text)
    assert "has no scalars" in text
    assert "Categories" not in text
    assert "positive weight" not in text
    assert "width: 0%" in found.html
