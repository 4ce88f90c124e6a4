"""A headless Chromium that notes what pages ask for and complain of."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 60_000  # milliseconds; a loaded machine is slow, and what is wrong may take long to show


class Watched:
    """A tab of a browser.

    Args:
        browser: Playwright's.
        width: Of the window, in pixels.
        height: Of the window, in pixels.
    """

    def __init__(self, browser: Any, *, width: int = 1280, height: int = 900) -> None:
        self.requested: list[str] = []
        self.complaints: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True
        )
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, said: Any) -> None:
        # gradio asks how far an upload is, and may ask when it is over
        late = "upload_progress" in said.location["url"] or said.text == "Response"
        if said.type == "error" and not late:
            self.complaints.append(said.text)

    def choose(self, file: Any) -> None:
        """Choose a file as an image, in place of one chosen before."""
        clear = self.page.locator("#image").get_by_role("button", name="Clear")
        if clear.count():
            clear.click()
            self.page.locator("#viewer .result").wait_for(state="hidden")
            self.page.locator("#viewer .message").wait_for(state="hidden")
        self.page.locator("#image input[type=file]").set_input_files(file)

    def pick(self, label: str, option: str) -> None:
        """Pick an option of a dropdown."""
        field = self.page.get_by_label(label, exact=True)
        field.click()
        # Its own list: that of a dropdown picked before may still be closing.
        choices = self.page.locator(f"[id='{field.get_attribute('aria-controls')}']")
        choices.get_by_role("option", name=option, exact=True).click()


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the system's Chromium under Playwright."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        # containers run as root, for which Chromium has no sandbox
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE
        )
        try:
            yield browser
        finally:
            browser.close()
