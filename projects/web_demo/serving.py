"""The layout of the page, the events of its controls, and its server."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glore_seg.errors import ConfigError, OutputError
from glore_seg.utils.dependencies import require
from glore_seg.visualization.projections import COLORS
from projects.web_demo.handlers import ALONE, Handlers

LOOPBACK = "127.0.0.1"
_LOCAL_NAMES = ["127.0.0.1", "localhost"]
TEMPLATES = Path(__file__).parent / "templates"
_TITLE = "GloRe segmentation"


@contextmanager
def serving(
    handlers: Handlers, *, host: str = LOOPBACK, port: int = 7860, root_path: str | None = None
) -> Iterator[str]:
    """Serve the page.

    Nothing is sent to other machines. Uploads are kept in a temporary folder, which is removed at
    the end. gradio serves no other file, limits the size of uploads, and rejects requests of pages
    of other servers to loopback. The default host admits this machine only, ``"0.0.0.0"``
    everybody; ``root_path`` is that of a reverse proxy, such as ``"/glore"``.

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
    with tempfile.TemporaryDirectory(prefix="glore_seg_web_") as folder:
        settings = {"GRADIO_TEMP_DIR": folder, "GRADIO_ANALYTICS_ENABLED": "False"}
        before = {name: os.environ[name] for name in settings if name in os.environ}
        os.environ.update(settings)
        try:
            page = build_page(handlers)
            page.queue(max_size=16)  # waiting requests; further visitors get a message
            fonts = ("system-ui", "sans-serif")  # system fonts: none is downloaded
            try:
                _, local, _ = page.launch(
                    server_name=host,
                    server_port=port,
                    root_path=root_path,
                    share=False,
                    quiet=True,
                    prevent_thread_lock=True,
                    max_file_size=int(handlers.limits.megabytes * 2**20),
                    allowed_paths=[],
                    theme=gr.themes.Default(font=fonts, font_mono=("monospace",)),
                    css_paths=TEMPLATES / "page.css",
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
        finally:
            for name in settings:
                os.environ.pop(name, None)
            os.environ.update(before)


def build_page(handlers: Handlers) -> Any:
    """Build the page, a ``gradio.Blocks``."""
    gr = require("gradio", "demo")
    names = [*handlers.models]
    units, unit = handlers.units(names[0])
    limits = handlers.limits
    # One at a time: the networks share the machine.
    quietly = {"concurrency_id": "network", "concurrency_limit": 1, "api_visibility": "private"}
    with gr.Blocks(title=_TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown(
            f"# {_TITLE}\nChoose an image, such as a street seen from a car: a network predicts "
            "the class of every pixel."
        )
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                image = gr.File(
                    label=f"Image (up to {limits.megabytes:g} MB, {limits.megapixels:g} "
                    "megapixels)",
                    file_types=[".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"],
                    type="binary",
                    height=170,
                    elem_id="image",
                )
                several = len(names) > 1
                model = gr.Dropdown(names, value=names[0], label="Model", visible=several)
                other = gr.Dropdown(
                    [ALONE, *names], value=ALONE, label="Compare with", visible=several
                )
            with gr.Column(scale=3, min_width=320), gr.Tabs():
                with gr.Tab("Classes"):
                    viewer = gr.HTML(
                        None,
                        elem_id="viewer",
                        html_template=(TEMPLATES / "viewer.html").read_text(encoding="utf-8"),
                        css_template=(TEMPLATES / "viewer.css").read_text(encoding="utf-8"),
                        js_on_load=(TEMPLATES / "viewer.js").read_text(encoding="utf-8"),
                    )
                with gr.Tab("Node maps") as maps_tab:
                    with gr.Row():
                        maps_unit = gr.Dropdown(units, value=unit, label="Unit", min_width=200)
                        number = gr.Slider(
                            1, 32, value=8, step=1, label="Number of nodes", min_width=200
                        )
                        colors = gr.Radio(
                            [*COLORS], value="orange-blue", label="Colors", min_width=240
                        )
                    maps = gr.HTML(elem_id="maps")
                with gr.Tab("Node graph") as graph_tab:
                    graph_unit = gr.Dropdown(units, value=unit, label="Unit")
                    graphs = gr.HTML(elem_id="graphs")
        # Maps need another forward pass: only while the tab is open.
        looks = gr.State(False)

        segment = {"fn": handlers.segment, "inputs": [image, model, other], "outputs": viewer}
        maps_inputs = [image, model, maps_unit, number, colors]
        draw_maps = {"fn": handlers.maps, "inputs": maps_inputs, "outputs": maps}
        draw_graphs = {"fn": handlers.graphs, "inputs": [model, graph_unit], "outputs": graphs}

        def maps_if_open(open_: bool, *arguments: Any) -> Any:
            return handlers.maps(*arguments) if open_ else gr.skip()

        def choose_units(name: str) -> list[Any]:
            choices, value = handlers.units(name)
            return [gr.Dropdown(choices, value=value)] * 2

        for event in (image.upload, image.clear, other.input):
            event(**segment, **quietly).then(maps_if_open, [looks, *maps_inputs], maps, **quietly)
        model.input(choose_units, model, [maps_unit, graph_unit], **quietly).then(
            **segment, **quietly
        ).then(maps_if_open, [looks, *maps_inputs], maps, **quietly).then(**draw_graphs, **quietly)
        maps_tab.select(lambda: True, None, looks, **quietly).then(**draw_maps, **quietly)
        graph_tab.select(**draw_graphs, **quietly)
        for control in (maps_unit, number, colors):
            control.input(**draw_maps, **quietly, trigger_mode="always_last")
        graph_unit.input(**draw_graphs, **quietly)
    return page
