"""Two networks, and the content of uploads."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from glore_seg.apis.inference import Segmenter
from projects.web_demo.handlers import Handlers, Limits, load_page_models
from projects.web_demo.serving import serving
from tests.forked import free_port


@pytest.fixture(scope="session")
def checkpoints(trained, tmp_path_factory) -> list[Path]:
    """Two of one config, with random last layers: they predict many classes."""
    folder = tmp_path_factory.mktemp("web")
    checkpoint = torch.load(trained / "iter_4.pth", weights_only=False)
    files = [folder / "first.pth", folder / "second.pth"]
    for seed, file in enumerate(files):
        torch.manual_seed(seed)
        torch.nn.init.normal_(checkpoint["state_dict"]["decode_head.conv_seg.weight"])
        torch.save(checkpoint, file)
    return files


@pytest.fixture(scope="session")
def models(checkpoints) -> dict[str, Segmenter]:
    """Both networks by name; read only."""
    return load_page_models(checkpoints, device="cpu")


@pytest.fixture(scope="session")
def street(street_scenes) -> Path:
    """An image of 64 x 128."""
    return sorted((street_scenes / "leftImg8bit" / "val").rglob("*.png"))[0]


@pytest.fixture(scope="session")
def address(models) -> Iterator[str]:
    """Address of the page, with low limits."""
    pytest.importorskip("gradio", reason="gradio is not installed: pip install 'glore_seg[demo]'")
    handlers = Handlers(models, Limits(megabytes=0.5, megapixels=8))
    with serving(handlers, port=free_port()) as served:
        yield served.rstrip("/")


def noise(height: int, width: int, *channels: int) -> np.ndarray:
    """Random bytes, (height, width, *channels)."""
    return np.random.default_rng(0).integers(0, 256, (height, width, *channels), dtype=np.uint8)


def encode(image: np.ndarray | Image.Image, kind: str = "PNG", **options) -> bytes:
    """An encoded image."""
    buffer = io.BytesIO()
    whole = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    whole.save(buffer, kind, **options)
    return buffer.getvalue()
