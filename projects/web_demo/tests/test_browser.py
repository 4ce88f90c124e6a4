"""The page in a headless Chromium."""

import re
import shutil

import numpy as np
import pytest
from PIL import Image

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install playwright"
)
expect = playwright.expect
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT = 60_000  # milliseconds
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH"),
]

# alpha of the canvas that hides other classes at pixel (x, y), 0 to 255
ALPHA = "([canvas, x, y]) => canvas.getContext('2d').getImageData(x, y, 1, 1).data[3]"


class Tab:
    """A tab that records requests and errors of the page."""

    def __init__(self, browser, address, **viewport):
        self.requested, self.errors = [], []
        self.page = browser.new_page(viewport=viewport)
        self.page.set_default_timeout(TIMEOUT)
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._record)
        self.page.goto(address)

    def _record(self, message):
        # gradio may ask for the progress of an upload that is complete
        late = "upload_progress" in message.location["url"] or message.text == "Response"
        if message.type == "error" and not late:
            self.errors.append(message.text)

    def upload(self, file):
        """Upload a file, in place of an earlier one."""
        clear = self.page.locator("#image").get_by_role("button", name="Clear")
        if clear.count():
            clear.click()
            self.page.locator("#viewer .result").wait_for(state="hidden")
        self.page.locator("#image input[type=file]").set_input_files(file)

    def select(self, label, option):
        """Select an option of a dropdown."""
        field = self.page.get_by_label(label, exact=True)
        field.click()
        # The list of an earlier dropdown may still be closing.
        choices = self.page.locator(f"[id='{field.get_attribute('aria-controls')}']")
        choices.get_by_role("option", name=option, exact=True).click()


@pytest.fixture(scope="module")
def browser():
    expect.set_options(timeout=TIMEOUT)
    with playwright.sync_playwright() as started:
        # Chromium has no sandbox for root, as in containers
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=TIMEOUT
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shown(browser, address, street):
    """The page with a segmented image."""
    tab = Tab(browser, address, width=1280, height=900)
    tab.upload(street)
    tab.page.locator("#viewer .legend button").first.wait_for()
    yield tab
    assert all(url.startswith((address, "data:", "blob:")) for url in tab.requested)
    assert tab.errors == []


@pytest.fixture
def labels(models, street):
    return models["first"](street).labels


def test_the_legend_has_classes_and_shares(shown, labels, models):
    counts = np.bincount(labels.ravel(), minlength=19)
    order = sorted(np.flatnonzero(counts), key=lambda i: -counts[i])
    legend = shown.page.locator("#viewer .legend")
    names = legend.locator(".name").all_inner_texts()
    assert names == [models["first"].classes[i] for i in order]
    share = f"{100 * counts[order[0]] / labels.size:.1f} %"
    assert legend.locator(".share").first.inner_text() == share


def test_hovering_shows_a_class_alone_and_a_click_keeps_it(shown, labels, models):
    page = shown.page
    veil = page.locator("#viewer canvas.veil")
    button = page.locator("#viewer .legend button").nth(1)
    index = int(button.get_attribute("data-index"))
    button.hover()
    name = models["first"].classes[index]
    status = expect(page.locator("#viewer .status"))
    status.to_have_text(f"{name}: {100 * (labels == index).mean():.1f} % of the image")
    expect(veil).to_be_visible()
    inside, outside = (np.argwhere(found)[0] for found in (labels == index, labels != index))
    for (y, x), expected in ((inside, 0), (outside, 200)):
        assert page.evaluate(ALPHA, [veil.element_handle(), int(x), int(y)]) == expected
    button.click()
    page.mouse.move(2, 2)
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(veil).to_be_visible()
    button.press("Escape")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.evaluate("button => button.blur()")
    expect(veil).to_be_hidden()


def test_keyboard(shown):
    page = shown.page
    slider = page.get_by_label("Opacity of the classes")
    slider.press("Home")
    slider.press("ArrowRight")
    expect(page.locator("#viewer canvas.labels")).to_have_css("opacity", "0.05")
    first = page.locator("#viewer .legend button").first
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.press("Space")
    expect(first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")


def test_downloads(shown, labels, tmp_path):
    with shown.page.expect_download() as download:
        shown.page.get_by_role("link", name="train ids").click()
    assert download.value.suggested_filename == "trainIds.png"
    download.value.save_as(tmp_path / "trainIds.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "trainIds.png")), labels)


def test_maps_and_graph_of_the_unit(shown):
    page = shown.page
    page.get_by_role("tab", name="Node maps").click()
    expect(page.locator("#maps figure")).to_have_count(8)
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
    shown.select("Model", "second")
    shown.select("Compare with", "first")
    expect(page.locator("#viewer figcaption")).to_have_text(["second", "first"])
    agree = re.compile(r"The two agree on [\d.]+ % of the pixels")
    expect(page.locator("#viewer .note")).to_contain_text(agree)
    page.locator("#viewer .legend button").first.hover()
    expect(page.locator("#viewer .status")).to_contain_text(" | ")
    expect(page.locator("#viewer canvas.veil:not([hidden])")).to_have_count(2)
    shown.select("Compare with", "no other")
    expect(page.locator("#viewer .stage")).to_have_count(1)


def test_a_bad_upload_gets_a_message(shown, tmp_path):
    (tmp_path / "street.png").write_bytes(b"text")
    shown.upload(tmp_path / "street.png")
    shown.page.get_by_role("alert").filter(has_text="not an image").wait_for()
    expect(shown.page.locator("#viewer .result")).to_be_hidden()


def test_a_phone_needs_no_horizontal_scrolling(browser, address, street):
    tab = Tab(browser, address, width=400, height=800)
    page = tab.page
    tab.upload(street)
    page.locator("#viewer .legend button").nth(1).click()
    for name, inside in (("Node maps", "#maps"), ("Node graph", "#graphs")):
        page.get_by_role("tab", name=name).click()
        page.locator(f"{inside} figure").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
