"""A headless Chromium that records requests and errors of a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT = 60_000  # milliseconds


class Watched:
    """A tab of a browser.

    Args:
        browser: Playwright's.
        width: Of the window, in pixels.
        height: Of the window, in pixels.
    """

    def __init__(self, browser: Any, *, width: int = 1280, height: int = 900) -> None:
        self.requested: list[str] = []
        self.errors: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True
        )
        self.page = context.new_page()
        self.page.set_default_timeout(TIMEOUT)
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, said: Any) -> None:
        # gradio may ask for the progress of an upload that is complete
        late = "upload_progress" in said.location["url"] or said.text == "Response"
        if said.type == "error" and not late:
            self.errors.append(said.text)

    def choose(self, file: Any) -> None:
        """Upload a file, in place of an earlier one."""
        clear = self.page.locator("#image").get_by_role("button", name="Clear")
        if clear.count():
            clear.click()
            self.page.locator("#viewer .result").wait_for(state="hidden")
            self.page.locator("#viewer .message").wait_for(state="hidden")
        self.page.locator("#image input[type=file]").set_input_files(file)

    def pick(self, label: str, option: str) -> None:
        """Select an option of a dropdown."""
        field = self.page.get_by_label(label, exact=True)
        field.click()
        # The list of an earlier dropdown may still be closing.
        choices = self.page.locator(f"[id='{field.get_attribute('aria-controls')}']")
        choices.get_by_role("option", name=option, exact=True).click()


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the system's Chromium under Playwright."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        # Chromium has no sandbox for root, as in containers
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=TIMEOUT
        )
        try:
            yield browser
        finally:
            browser.close()
