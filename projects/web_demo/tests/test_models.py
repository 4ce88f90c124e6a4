import re

import cv2
import numpy as np
import pytest

from glore_seg.apis.inference import Segmenter
from projects.web_demo.models import PageModel, load_page_models, short_names


def test_a_page_shows_what_the_segmenter_finds(small_files, page_models, street):
    config, checkpoints = small_files
    assert [*page_models] == ["first", "second"]
    expected = Segmenter(config, checkpoint=checkpoints[1], device="cpu")(street)
    found = page_models["second"].segment(cv2.imread(str(street))[..., ::-1])
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert len(np.unique(found.labels)) > 1
    assert page_models["second"].classes == tuple(expected.classes)


def test_units_are_looked_into(page_models, street):
    model = page_models["first"]
    assert [*model.units] == ["decode_head.units.0"]
    image = cv2.imread(str(street))[..., ::-1]
    weights = model.project(image, "decode_head.units.0")
    assert weights.shape == (6, 8, 16)
    (matrix,) = model.adjacencies("decode_head.units.0")
    learned = model.units["decode_head.units.0"].gcn.conv1.weight[:, :, 0]
    np.testing.assert_array_equal(matrix, -learned.detach().numpy())


def test_a_network_that_is_no_torch_module_has_no_units(page_models):
    class Exported:
        classes = ("road", "car")
        palette = ((0, 0, 0), (1, 1, 1))
        model = None

    assert PageModel(Exported()).units == {}


def test_names_are_as_short_as_tells_apart():
    assert short_names(["/a/one/last.pth", "/a/two/best.pth"]) == ["last", "best"]
    assert short_names(["/a/one/last.pth", "/a/two/last.pth"]) == ["one/last", "two/last"]
    with pytest.raises(ValueError, match="name one twice; expected each once"):
        short_names(["/a/last.pth", "/a/b/../last.pth"])


@pytest.mark.parametrize(
    ("checkpoints", "configs", "message"),
    [
        ([], [], "no checkpoint; expected one"),
        (["a.pth", "b.pth", "c.pth"], ["x.py", "y.py"], "2 configs for 3 checkpoints; expected"),
    ],
)
def test_what_does_not_fit_is_refused(checkpoints, configs, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        load_page_models(checkpoints, configs)


def test_models_of_other_classes_are_refused(small_files, tmp_path):
    config, checkpoints = small_files
    other = tmp_path / "other.py"
    other.write_text(
        f"_base_ = {str(config)!r}\n"
        "test_dataloader = dict(dataset=dict(metainfo=dict(classes=('road', 'car'))))\n"
    )
    with pytest.raises(ValueError, match=r"know different classes.*second: road, car"):
        load_page_models(checkpoints, [str(config), str(other)], device="cpu")
