"""The answers of the page, independent of gradio."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from glore_seg.visualization.projections import COLORS
from projects.web_demo.models import PageModel
from projects.web_demo.nodes import render_graphs, render_maps, render_note
from projects.web_demo.uploads import Limits, UploadError, read_upload
from projects.web_demo.viewer import show_message, show_result

ALONE = "no other"  # the choice of no second model
_LOGGER = logging.getLogger(__name__)
_NO_IMAGE = "Choose an image first."


@dataclass(frozen=True)
class Handlers:
    """The page's answers; nothing is kept between two of them.

    Args:
        models: The networks by name, of the same classes.
        limits: What an upload may have.
    """

    models: Mapping[str, PageModel]
    limits: Limits = field(default_factory=Limits)

    def segment(self, content: bytes | None, name: str, other: str = ALONE) -> dict[str, Any]:
        """Segment an upload.

        Args:
            content: The uploaded file's; None before one is chosen.
            name: Of the model.
            other: Of a second one to compare with, or :data:`ALONE`.

        Returns:
            What the viewer shows, see :func:`show_result`; a message for a bad upload.
        """
        if content is None:
            return show_message("")
        try:
            upload = read_upload(content, self.limits)
        except UploadError as error:
            return show_message(str(error))
        height, width = upload.image.shape[:2]
        note = f"{width} x {height} pixels."
        if upload.shrunk_from:
            note = "Shrunk from {} x {} to {} x {} pixels.".format(
                *upload.shrunk_from, width, height
            )
        names = [name] if other in (ALONE, name) else [name, other]
        first = self.models[name]
        try:
            labels = {n: self.models[n].segment(upload.image).labels for n in names}
        except ValueError as error:
            return show_message(_cannot(error, width, height))
        return show_result(upload.image, labels, first.classes, first.palette, note=note)

    def maps(
        self, content: bytes | None, name: str, unit: str | None, number: int, colors: str
    ) -> str:
        """Show the projection maps of a unit on an upload, as HTML.

        Args:
            content: The uploaded file's; None before one is chosen.
            name: Of the model.
            unit: One of the model's; None where it has none.
            number: How many nodes.
            colors: A key of :data:`COLORS`.
        """
        assert colors in COLORS
        model = self.models[name]
        if unit not in model.units:
            return render_note(self._without_unit(name))
        if content is None:
            return render_note(_NO_IMAGE)
        try:
            image = read_upload(content, self.limits).image
        except UploadError as error:
            return render_note(str(error))
        height, width = image.shape[:2]
        try:
            weights = model.project(image, unit)
        except ValueError as error:
            return render_note(_cannot(error, width, height))
        return render_maps(image, weights, number=int(number), colors=colors)

    def graphs(self, name: str, unit: str | None) -> str:
        """Show what a unit's nodes give to each other, as HTML."""
        model = self.models[name]
        if unit not in model.units:
            return render_note(self._without_unit(name))
        return render_graphs(model.adjacencies(unit))

    def units(self, name: str) -> tuple[list[str], str | None]:
        """Units of a model, and the one to show first: the last."""
        units = [*self.models[name].units]
        return units, units[-1] if units else None

    def _without_unit(self, name: str) -> str:
        return f"{name} has no GloRe unit to look into: it is an ONNX file, or was trained without."


def _cannot(error: ValueError, width: int, height: int) -> str:
    """What to tell about an image that was read, but that a network cannot take."""
    _LOGGER.warning("%s", error, exc_info=error)
    return (
        f"The network cannot take this image of {width} x {height} pixels. Please try another "
        "one; the server's log says more."
    )
