"""Two small networks with random weights, and the content of uploads."""

import io
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.engine import build_model
from projects.web_demo.handlers import Handlers
from projects.web_demo.models import PageModel, load_page_models
from projects.web_demo.serving import LOOPBACK, serving
from projects.web_demo.uploads import Limits
from tests.fixtures import STREET_SCENES


@pytest.fixture(scope="session")
def small_files(tmp_path_factory) -> tuple[Path, list[Path]]:
    """A config and two checkpoints of it."""
    folder = tmp_path_factory.mktemp("web")
    cfg = load_config(str(STREET_SCENES), cfg_options=SMALL_NETWORK)
    cfg.dump(folder / "small.py")
    checkpoints = [folder / "first.pth", folder / "second.pth"]
    for seed, path in enumerate(checkpoints):
        torch.manual_seed(seed)
        model = build_model(cfg)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        torch.save({"state_dict": model.state_dict(), "meta": {}}, path)
    return folder / "small.py", checkpoints


@pytest.fixture(scope="session")
def page_models(small_files) -> dict[str, PageModel]:
    """Both networks by name; read only."""
    config, checkpoints = small_files
    return load_page_models(checkpoints, [str(config)], device="cpu")


@pytest.fixture(scope="session")
def street(street_scenes) -> Path:
    """An image of 64 x 128."""
    return sorted((street_scenes / "leftImg8bit" / "val").rglob("*.png"))[0]


@pytest.fixture(scope="session")
def address(page_models) -> Iterator[str]:
    """Address of the page, with low limits."""
    pytest.importorskip("gradio", reason="gradio is not installed: pip install 'glore_seg[demo]'")
    handlers = Handlers(page_models, Limits(megabytes=0.5, megapixels=8))
    with serving(handlers, port=free_port()) as served:
        yield served.rstrip("/")


def free_port() -> int:
    """A free port of this machine."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        return taken.getsockname()[1]


def noise(height: int, width: int, *channels: int) -> np.ndarray:
    """Random bytes, (height, width, *channels)."""
    return np.random.default_rng(0).integers(0, 256, (height, width, *channels), dtype=np.uint8)


def encode(image: np.ndarray | Image.Image, kind: str = "PNG", **options) -> bytes:
    """An encoded image."""
    buffer = io.BytesIO()
    whole = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    whole.save(buffer, kind, **options)
    return buffer.getvalue()
