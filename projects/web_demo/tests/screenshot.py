"""Take docs/images/web_demo.png: `python -m projects.web_demo.tests.screenshot CHECKPOINT ...`."""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

import glore_seg  # noqa: F401  patches OpenMMLab, so it comes first
from projects.web_demo.handlers import Handlers
from projects.web_demo.models import load_page_models
from projects.web_demo.serving import serving
from projects.web_demo.tests.browser import Watched, chromium
from projects.web_demo.tests.conftest import free_port


def main(argv: Sequence[str] | None = None) -> None:
    """Compare two checkpoints of one config on one image, and store what the page shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs=2, help="two checkpoints of one config")
    parser.add_argument("--config", required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/images/web_demo.png"))
    parser.add_argument("--width", type=int, default=1280, help="of the window, in pixels")
    args = parser.parse_args(argv)
    models = load_page_models(args.checkpoints, [args.config], device="cpu")
    with serving(Handlers(models), port=free_port()) as address, chromium() as browser:
        tab = Watched(browser, width=args.width, height=700)
        tab.page.goto(address)
        take(tab, args.image, *models).save(args.out, optimize=True)


def take(tab: Watched, image: str | Path, first: str, second: str) -> Image.Image:
    """Compare two models on an image, and take the whole page in 256 colors.

    Args:
        tab: The page as it is opened.
        image: File of the image.
        first: Name of the model that is shown second.
        second: Of the one shown first.
    """
    tab.choose(image)
    tab.page.locator("#viewer .legend button").first.wait_for()
    tab.pick("Model", second)
    tab.pick("Compare with", first)
    tab.page.locator("#viewer .stage").nth(1).wait_for()
    tab.page.wait_for_timeout(500)  # fading
    shot = Image.open(io.BytesIO(tab.page.screenshot(full_page=True)))
    # of the ways to fewer colors the one that keeps those of small areas
    return shot.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
