import base64
import io
import json
import zlib

import numpy as np
import pytest
from PIL import Image

from glore_seg.evaluation import CITYSCAPES_CLASSES
from projects.web_demo.viewer import show_result, viewer_parts

CLASSES = ("road", "car", "sky")
PALETTE = ((128, 64, 128), (0, 0, 142), (70, 130, 180))


def decoded(source):
    kind, data = source.split(";base64,")
    return kind, np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_one_model():
    labels = np.zeros((20, 40), np.uint8)
    labels[5:, :10] = 1
    image = np.full((20, 40, 3), (200, 100, 50), np.uint8)
    view = show_result(image, {"a": labels}, CLASSES, PALETTE, note="40 x 20 pixels.")
    json.dumps(view)
    assert (view["width"], view["height"], view["note"]) == (40, 20, "40 x 20 pixels.")
    kind, shown = decoded(view["image"])
    assert kind == "data:image/jpeg"
    assert np.abs(shown.astype(int) - image).max() <= 3
    assert view["classes"][1] == {"name": "car", "color": [0, 0, 142]}
    (pane,) = view["panes"]
    assert pane["shares"] == [0.8125, 0.1875, 0.0]
    sent = zlib.decompress(base64.b64decode(pane["labels"]))
    np.testing.assert_array_equal(np.frombuffer(sent, np.uint8).reshape(20, 40), labels)
    train, full = (decoded(file["source"]) for file in pane["files"])
    assert train[0] == full[0] == "data:image/png"
    np.testing.assert_array_equal(train[1], labels)
    np.testing.assert_array_equal(full[1], np.where(labels == 1, 26, 7))
    assert "agreement" not in view


def test_two_models_are_compared():
    first = np.zeros((48, 96), np.uint8)
    second = first.copy()
    second[12:36, 24:48] = 2
    image = np.zeros((48, 96, 3), np.uint8)
    view = show_result(image, {"a": first, "b": second}, CLASSES, PALETTE)
    assert [pane["title"] for pane in view["panes"]] == ["a", "b"]
    assert view["agreement"] == 0.875
    assert view["boxes"] == [[0.25, 0.25, 0.25, 0.5]]


def test_label_ids_need_the_names_of_cityscapes():
    image = np.zeros((4, 4, 3), np.uint8)
    view = show_result(image, {"a": image[..., 0]}, ("cat", "dog"), PALETTE[:2])
    assert [file["name"] for file in view["panes"][0]["files"]] == ["trainIds"]
    palette = [(i, i, i) for i in range(19)]
    view = show_result(image, {"a": image[..., 0]}, CITYSCAPES_CLASSES, palette)
    assert [file["name"] for file in view["panes"][0]["files"]] == ["trainIds", "labelIds"]


@pytest.mark.parametrize("part", ["html_template", "css_template"])
def test_templates_have_no_placeholders_of_gradio(part):
    assert viewer_parts()[part]
    for sign in ("${", "{{", "`", "@children"):
        assert sign not in viewer_parts()[part]
