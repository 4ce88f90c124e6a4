"""The page in a real browser, with real clicks."""

import re
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from projects.web_demo.tests.browser import CHROMIUM, Watched, chromium
from projects.web_demo.tests.images import encode, noise, png_of_claimed_size
from projects.web_demo.tests.screenshot import take

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install playwright"
)
expect = playwright.expect
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH"),
]

# alpha under the middle of the place (x, y) of a pane's veil, 0 to 255
ALPHA = """([canvas, x, y]) =>
    canvas.getContext("2d").getImageData(x, y, 1, 1).data[3]"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shown(browser, address, street):
    """The page with an image, segmented."""
    tab = Watched(browser)
    tab.page.goto(address)
    tab.choose(street)
    tab.page.locator("#viewer .legend button").first.wait_for()
    yield tab
    hosts = {
        urlsplit(url).netloc for url in tab.requested if not url.startswith(("data:", "blob:"))
    }
    assert hosts == {urlsplit(address).netloc}
    assert tab.complaints == []


@pytest.fixture
def labels(page_models, street):
    image = np.asarray(Image.open(street).convert("RGB"))
    return page_models["first"].segment(image).labels


def names(tab):
    return tab.page.locator("#viewer .legend .name").all_inner_texts()


def status(tab):
    """What the page says; expectations of it wait until it says so."""
    return expect(tab.page.locator("#viewer .status"))


def test_the_legend_tells_classes_and_shares(shown, labels, page_models):
    classes = page_models["first"].classes
    counts = np.bincount(labels.ravel(), minlength=19)
    order = sorted(np.flatnonzero(counts), key=lambda i: -counts[i])
    assert names(shown) == [classes[i] for i in order]
    shares = shown.page.locator("#viewer .legend .share").all_inner_texts()
    assert shares[0] == f"{100 * counts[order[0]] / labels.size:.1f} %"
    absent = shown.page.locator("#viewer .absent").inner_text()
    assert absent == "Not found: " + ", ".join(
        c for c, n in zip(classes, counts, strict=True) if not n
    )


def test_hovering_a_class_shows_it_alone_and_a_click_keeps_it(shown, labels, page_models):
    page = shown.page
    veil = page.locator("#viewer canvas.veil")
    button = page.locator("#viewer .legend button").nth(1)
    index = int(button.get_attribute("data-index"))
    button.hover()
    name = page_models["first"].classes[index]
    status(shown).to_have_text(f"{name}: {100 * (labels == index).mean():.1f} % of the image")
    expect(veil).to_be_visible()
    inside, outside = (np.argwhere(found)[0] for found in (labels == index, labels != index))
    for (y, x), expected in ((inside, 0), (outside, 200)):
        assert page.evaluate(ALPHA, [veil.element_handle(), int(x), int(y)]) == expected
    page.mouse.move(2, 2)
    expect(veil).to_be_hidden()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.mouse.move(2, 2)
    button.evaluate("button => button.blur()")
    expect(button).not_to_be_focused()
    expect(veil).to_be_visible()
    button.press("Escape")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(veil).to_be_hidden()


def test_the_keyboard_does_what_the_mouse_does(shown):
    page = shown.page
    slider = page.get_by_label("Opacity of the classes")
    slider.focus()
    slider.press("Home")
    painted = page.locator("#viewer canvas.labels")
    expect(painted).to_have_css("opacity", "0")
    for _ in range(3):
        slider.press("ArrowRight")
    expect(painted).to_have_css("opacity", "0.15")
    expect(page.locator("#viewer .opacity output")).to_have_text("15 %")
    first = page.locator("#viewer .legend button").first
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    status(shown).to_contain_text(re.compile(f"^{names(shown)[0]}: "))
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")


def test_pointing_at_the_image_names_the_class(shown, labels, page_models):
    page = shown.page
    stage = page.locator("#viewer .stage")
    box = stage.bounding_box()
    for y, x in ((10, 100), (60, 20)):
        at = {"x": (x + 0.5) * box["width"] / 128, "y": (y + 0.5) * box["height"] / 64}
        stage.hover(position=at)
        name = page_models["first"].classes[labels[y, x]]
        status(shown).to_contain_text(re.compile(f"^{name}: "))
    page.mouse.move(2, 2)
    status(shown).to_have_text("Point at a class to see it alone; a click keeps it.")


def test_the_label_map_is_downloaded(shown, labels, tmp_path):
    for text, name, expected in (
        ("train ids", "trainIds.png", labels),
        ("Cityscapes label ids", "labelIds.png", None),
    ):
        with shown.page.expect_download() as download:
            shown.page.get_by_role("link", name=text).click()
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
        found = np.asarray(Image.open(tmp_path / name))
        if expected is not None:
            np.testing.assert_array_equal(found, expected)
        else:
            assert set(np.unique(found)) <= {*range(7, 34)}


def test_maps_and_graph_of_the_unit(shown):
    page = shown.page
    page.get_by_role("tab", name="Node maps").click()
    page.locator("#maps figure").nth(5).wait_for()
    expect(page.locator("#maps figure")).to_have_count(6)  # all that the unit has
    number = page.locator("input[type=number]")
    number.fill("2")
    number.press("Enter")
    expect(page.locator("#maps figure")).to_have_count(2)
    before = page.locator("#maps img").first.get_attribute("src")
    page.get_by_label("red-green").check()
    page.wait_for_function(
        "before => document.querySelector('#maps img').src !== before", arg=before
    )
    page.get_by_role("tab", name="Node graph").click()
    page.locator("#graphs figure").nth(1).wait_for()
    page.wait_for_function(
        "[...document.querySelectorAll('#graphs img')].every(i => i.naturalWidth > 100)"
    )
    page.get_by_role("tab", name="Classes").click()


def test_two_checkpoints_side_by_side(shown):
    page = shown.page
    shown.pick("Compare with", "second")
    expect(page.locator("#viewer .stage")).to_have_count(2)
    expect(page.locator("#viewer figcaption")).to_have_text(["first", "second"])
    agree = re.compile(r"The two agree on [\d.]+ % of the pixels")
    expect(page.locator("#viewer .note")).to_contain_text(agree)
    page.locator("#viewer .legend button").first.hover()
    status(shown).to_contain_text(" | ")
    expect(page.locator("#viewer canvas.veil:not([hidden])")).to_have_count(2)
    expect(page.get_by_role("link", name="second: train ids")).to_have_count(1)
    shown.pick("Compare with", "no other")
    expect(page.locator("#viewer .stage")).to_have_count(1)
    shown.pick("Model", "second")
    page.wait_for_function("document.querySelector('#viewer img').alt.endsWith('second finds')")


def test_the_docs_figure_is_taken(browser, address, street):
    tab = Watched(browser, height=700)
    tab.page.goto(address)
    shot = take(tab, street, "first", "second")
    assert shot.mode == "P"
    assert shot.width == 1280
    expect(tab.page.locator("#viewer figcaption")).to_have_text(["second", "first"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("street.png", b"not an image", "The file is no image. Please choose a JPEG"),
        ("cut.png", encode(noise(64, 64, 3))[:2000], "damaged or cut off"),
        ("bomb.png", png_of_claimed_size(30000, 30000), "too many pixels"),
        ("empty.png", b"", "The file is empty"),
    ],
)
def test_bad_uploads_get_a_message(shown, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    shown.choose(tmp_path / name)
    alert = shown.page.get_by_role("alert").filter(has_text=message)
    alert.wait_for()
    assert "Traceback" not in shown.page.inner_text("body")
    expect(shown.page.locator("#viewer .result")).to_be_hidden()


def test_a_file_that_is_too_large_is_not_even_sent(browser, address, tmp_path):
    tab = Watched(browser)
    tab.page.goto(address)
    (tmp_path / "large.png").write_bytes(bytes(600_000))
    tab.choose(tmp_path / "large.png")
    tab.page.get_by_text("exceed the maximum allowed size of 512").wait_for()
    assert not [url for url in tab.requested if "/upload?" in url]


def test_a_phone_shows_it_all_without_scrolling_sideways(browser, address, street):
    tab = Watched(browser, width=400, height=800)
    page = tab.page
    page.goto(address)
    tab.choose(street)
    button = page.locator("#viewer .legend button").nth(1)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    for name, inside in (("Node maps", "#maps"), ("Node graph", "#graphs")):
        page.get_by_role("tab", name=name).click()
        page.locator(f"{inside} figure").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.get_by_role("tab", name="Classes").click()
    overflowing = page.locator("#viewer *").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().right > 400).map(e => e.className)"
    )
    assert overflowing == []
