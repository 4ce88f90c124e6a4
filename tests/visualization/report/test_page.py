from dataclasses import replace

import numpy as np
import pytest

from glore_seg.visualization.report import Report, embed_image, render
from tests.html_page import Page

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"
NAN = float("nan")


def report(text="name"):
    """A page with the same text in all fields."""
    image = embed_image(np.zeros((4, 8, 3), np.uint8), alt=text, caption=text)
    return Report(
        title=text,
        subtitle=text,
        tiles=[(text, text)],
        recipe=[(text, text)],
        config=text,
        curves=[image],
        columns=["IoU", text],
        classes=[(text, (128, 64, 128), [52.55, 33.3])],
        categories=[(text, 61.0, NAN)],
        confusion=image,
        predictions=[[image] * 4],
        legend=[(text, (0, 0, 142))],
        projections=[[image] * 5],
        projections_note=text,
        projection_colors=((255, 0, 0), (0, 255, 0)),
        speed=[(text, text)],
    )


def test_the_page_is_complete_and_self_contained():
    page = Page(render(report()))
    page.assert_self_contained()
    headings = ["configuration", "curves", "classes", "confusion", "predictions"]
    assert [a["id"] for a in page.attributes("h2")] == [*headings, "projections", "speed"]
    assert len(page.attributes("a")) == 7
    assert len(page.attributes("img")) == 1 + 1 + 4 + 5
    assert all(a["alt"] for a in page.attributes("img"))
    assert {"52.5", "33.3", "-", "61.0", "IoU, %"} <= {text.strip() for text in page.text}
    styles = [a.get("style") for name, a in page.tags if a.get("style")]
    assert "width: 52.5%" in styles
    assert "background: rgb(128, 64, 128)" in styles


def test_text_is_escaped():
    page = Page(render(report(HOSTILE)))
    page.assert_self_contained()
    assert not page.attributes("script")
    assert all("onerror" not in attributes for _, attributes in page.tags)
    assert "<script" not in page.html
    # All of it is text of the page.
    plain = Page(render(report("name")))
    assert "".join(page.text).count(HOSTILE) == "".join(plain.text).count("name")
    assert [a["alt"] for a in page.attributes("img")] == [HOSTILE] * 11


def test_missing_parts():
    page = Page(
        render(
            replace(
                report(),
                curves=[],
                categories=[],
                projections=[],
                projections_note="This network has no GloRe unit.",
                classes=[("road", (0, 0, 0), [NAN, NAN])],
            )
        )
    )
    text = " ".join(page.text)
    assert "has no scalars" in text
    assert "This network has no GloRe unit." in text
    assert "Categories" not in text
    assert "positive weight" not in text
    assert "width: 0%" in page.html


def test_colors_are_numbers():
    with pytest.raises(ValueError, match="invalid literal for int"):
        render(replace(report(), legend=[("road", ("red; }", 0, 0))]))
