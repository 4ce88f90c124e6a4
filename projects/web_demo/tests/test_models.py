import cv2
import numpy as np
import pytest

from glore_seg.apis.inference import Segmenter
from glore_seg.errors import ConfigError
from projects.web_demo.models import PageModel, load_page_models, short_names


def test_predictions_equal_the_segmenters(small_files, page_models, street):
    config, checkpoints = small_files
    assert [*page_models] == ["first", "second"]
    expected = Segmenter(config, checkpoint=checkpoints[1], device="cpu")(street)
    labels = page_models["second"].segment(cv2.imread(str(street))[..., ::-1])
    np.testing.assert_array_equal(labels, expected.labels)
    assert len(np.unique(labels)) > 1
    assert page_models["second"].classes == tuple(expected.classes)


def test_units(page_models, street):
    model = page_models["first"]
    assert [*model.units] == ["decode_head.units.0"]
    image = cv2.imread(str(street))[..., ::-1]
    assert model.project(image, "decode_head.units.0").shape == (6, 8, 16)


def test_onnx_has_no_units():
    class Exported:
        classes = ("road", "car")
        palette = ((0, 0, 0), (1, 1, 1))
        model = None

    assert PageModel(Exported()).units == {}


def test_names_are_short_and_unique():
    assert short_names(["/a/one/last.pth", "/a/two/best.pth"]) == ["last", "best"]
    assert short_names(["/a/one/last.pth", "/a/two/last.pth"]) == ["one/last", "two/last"]
    with pytest.raises(ConfigError, match="expected each once"):
        short_names(["/a/last.pth", "/a/b/../last.pth"])


def test_rejects_a_wrong_number_of_configs():
    with pytest.raises(ConfigError, match="2 configs for 3 checkpoints"):
        load_page_models(["a.pth", "b.pth", "c.pth"], ["x.py", "y.py"])


def test_rejects_different_classes(small_files, tmp_path):
    config, checkpoints = small_files
    other = tmp_path / "other.py"
    other.write_text(
        f"_base_ = {str(config)!r}\n"
        "test_dataloader = dict(dataset=dict(metainfo=dict(classes=('road', 'car'))))\n"
    )
    with pytest.raises(ConfigError, match=r"different classes.*second: road, car"):
        load_page_models(checkpoints, [str(config), str(other)], device="cpu")
