import base64

import cv2
import numpy as np
from matplotlib.figure import Figure

from glore_seg.visualization.report import embed_figure, embed_image


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
