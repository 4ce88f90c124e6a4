"""The page on a port of this machine."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glore_seg.errors import ConfigError, OutputError
from glore_seg.utils.dependencies import require
from projects.web_demo.app import build_page
from projects.web_demo.guard import Guard
from projects.web_demo.handlers import Handlers

LOOPBACK = "127.0.0.1"
_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_STYLE = Path(__file__).parent / "templates" / "page.css"
_WAITING = 16  # requests in the queue; the next visitor is told that it is full


@contextmanager
def serving(handlers: Handlers, *, host: str = LOOPBACK, port: int = 7860) -> Iterator[str]:
    """Serve the page.

    Nothing is sent to other machines. Uploads lie in a folder of the server's own, which is removed
    at the end.

    Args:
        handlers: The page's answers.
        host: Address to listen at. The default is reached from this machine alone; ``"0.0.0.0"``
            from all that reach this one.
        port: To listen at, 1 to 65535.

    Yields:
        The page's address.

    Raises:
        MissingDependencyError: gradio is not installed.
        OutputError: The port is taken, or the address is not this machine's.
        ConfigError: The port is outside its range.
    """
    if not 1 <= port <= 65535:
        raise ConfigError(f"port is {port}; expected 1 to 65535")
    gr = require("gradio", "demo")
    middleware = require("starlette.middleware", "demo").Middleware
    with tempfile.TemporaryDirectory(prefix="glore_seg_web_") as folder, _environment(folder):
        page = build_page(handlers)
        page.queue(max_size=_WAITING)
        plain = ("system-ui", "sans-serif")  # no font is fetched from elsewhere
        guard = middleware(
            Guard,
            upload_size=handlers.limits.size,
            hosts=_OWN_NAMES if host in _OWN_NAMES else None,
        )
        try:
            _, local, _ = page.launch(
                server_name=host,
                server_port=port,
                share=False,
                quiet=True,
                prevent_thread_lock=True,
                max_file_size=handlers.limits.size,
                theme=gr.themes.Default(font=plain, font_mono=("monospace",)),
                css_paths=_STYLE,
                app_kwargs={"middleware": [guard]},
                footer_links=[],
                run_history=False,
                enable_monitoring=False,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,
                state_session_capacity=100,
            )
        except OSError as error:
            raise OutputError(
                f"cannot listen at {host}, port {port} ({error}); expected a free port of this "
                "machine: give another --port"
            ) from error
        try:
            yield local
        finally:
            page.close(verbose=False)


@contextmanager
def _environment(folder: str) -> Iterator[None]:
    """Tell gradio where files go and to tell nobody, for the time of serving."""
    wanted = {
        "GRADIO_TEMP_DIR": folder,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_ANALYTICS_MAX_EVENTS": "100",  # kept for a view that this page has not
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
