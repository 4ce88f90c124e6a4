"""The layout of the page and the events of its controls."""

from typing import Any

from glore_seg.utils.dependencies import require
from glore_seg.visualization.projections import COLORS
from projects.web_demo.handlers import ALONE, Handlers
from projects.web_demo.viewer import viewer_parts

_TITLE = "GloRe segmentation"
_NODES = 8  # maps at first


def build_page(handlers: Handlers) -> Any:
    """Build the page.

    Args:
        handlers: The answers of the page.

    Returns:
        A ``gradio.Blocks``.

    Raises:
        MissingDependencyError: gradio is not installed.
    """
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
                    viewer = gr.HTML(None, elem_id="viewer", **viewer_parts())
                with gr.Tab("Node maps") as maps_tab:
                    with gr.Row():
                        maps_unit = gr.Dropdown(units, value=unit, label="Unit", min_width=200)
                        number = gr.Slider(
                            1, 32, _NODES, step=1, label="Number of nodes", min_width=200
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
