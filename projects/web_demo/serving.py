"""Serves the page on a port of this machine."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glore_seg.errors import ConfigError, OutputError
from glore_seg.utils.dependencies import require
from projects.web_demo.app import build_page
from projects.web_demo.handlers import Handlers

LOOPBACK = "127.0.0.1"
_LOCAL_NAMES = ["127.0.0.1", "localhost"]
_STYLE = Path(__file__).parent / "templates" / "page.css"
_QUEUE_SIZE = 16  # waiting requests; further visitors get a message


@contextmanager
def serving(
    handlers: Handlers, *, host: str = LOOPBACK, port: int = 7860, root_path: str | None = None
) -> Iterator[str]:
    """Serve the page.

    Nothing is sent to other machines. Uploads are kept in a temporary folder, which is removed at
    the end. gradio serves no other file, limits the size of uploads, and rejects requests of pages
    of other servers to loopback.

    Args:
        handlers: The answers of the page.
        host: Address to listen on. The default admits this machine only, ``"0.0.0.0"`` everybody.
        port: Port to listen on, 1 to 65535.
        root_path: Path under which a reverse proxy serves the page, such as ``"/glore"``.

    Yields:
        The address of the page.

    Raises:
        MissingDependencyError: gradio is not installed.
        OutputError: The port is in use, or the address is not of this machine.
        ConfigError: The port is out of range.
    """
    if not 1 <= port <= 65535:
        raise ConfigError(f"port is {port}; expected 1 to 65535")
    gr = require("gradio", "demo")
    middleware = require("starlette.middleware", "demo").Middleware
    trusted_host = require("starlette.middleware.trustedhost", "demo").TrustedHostMiddleware
    # Against DNS rebinding: a foreign page that resolves its own name to loopback.
    hosts = _LOCAL_NAMES if host in _LOCAL_NAMES else ["*"]
    with tempfile.TemporaryDirectory(prefix="glore_seg_web_") as folder, _environment(folder):
        page = build_page(handlers)
        page.queue(max_size=_QUEUE_SIZE)
        fonts = ("system-ui", "sans-serif")  # system fonts: none is downloaded
        try:
            _, local, _ = page.launch(
                server_name=host,
                server_port=port,
                root_path=root_path,
                share=False,
                quiet=True,
                prevent_thread_lock=True,
                max_file_size=handlers.limits.size,
                allowed_paths=[],
                theme=gr.themes.Default(font=fonts, font_mono=("monospace",)),
                css_paths=_STYLE,
                app_kwargs={"middleware": [middleware(trusted_host, allowed_hosts=hosts)]},
                footer_links=[],
                enable_monitoring=False,
                ssr_mode=False,
                mcp_server=False,
            )
        except OSError as error:
            raise OutputError(
                f"cannot listen on {host}, port {port} ({error}); expected a free port of this "
                "machine: give another --port"
            ) from error
        try:
            yield local
        finally:
            page.close(verbose=False)


@contextmanager
def _environment(folder: str) -> Iterator[None]:
    """Set gradio's folder and switch off its analytics while serving."""
    wanted = {
        "GRADIO_TEMP_DIR": folder,
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
