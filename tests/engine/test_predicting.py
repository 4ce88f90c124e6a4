import numpy as np
import pytest
import torch

from glore_seg.engine.predicting import Predictor
from glore_seg.visualization import capture_projections, find_unit


def val_files(street_scenes):
    return sorted((street_scenes / "leftImg8bit/val").rglob("*.png"))


def test_prediction_is_the_largest_logit_at_the_pictures_size(small_cfg, save, street_scenes):
    predictor = Predictor(small_cfg, save(small_cfg), device="cpu")
    assert predictor.classes[0] == "road"
    assert list(predictor.palette[0]) == [128, 64, 128]
    file = val_files(street_scenes)[0]
    prediction = predictor.predict(file)
    assert (prediction.shape, prediction.dtype) == ((64, 128), np.uint8)
    model = predictor.model
    with torch.no_grad():
        logits = model(model.data_preprocessor(predictor.batch(file))["inputs"], mode="tensor")
    logits = torch.nn.functional.interpolate(logits, (64, 128), mode="bilinear")
    assert np.array_equal(prediction, logits[0].argmax(0).numpy().astype(np.uint8))
    # A picture that the pipeline shrinks comes back at its own size.
    resize = {"type": "Resize", "scale": (64, 32), "keep_ratio": True}
    small_cfg.test_dataloader.dataset.pipeline.insert(1, resize)
    assert Predictor(small_cfg, save(small_cfg)).predict(file).shape == (64, 128)


def test_weights_are_the_units_projection_of_the_whole_picture(small_cfg, save, street_scenes):
    file = val_files(street_scenes)[0]
    predictor = Predictor(small_cfg, save(small_cfg), device="cpu")
    name, unit = find_unit(predictor.model)
    assert name == "decode_head.units.0"
    weights = predictor.project(file, unit)
    assert (weights.shape, weights.dtype) == ((4, 8, 16), np.float32)
    model, seen = predictor.model, []
    handle = model.decode_head.convs[0].register_forward_hook(lambda *a: seen.append(a[2]))
    with torch.no_grad():
        model(model.data_preprocessor(predictor.batch(file))["inputs"], mode="tensor")
        expected = unit.project(seen[0])[0].numpy()
    handle.remove()
    assert np.array_equal(weights, expected)

    # Also where the config tests by windows, and where it pads: the padding is cut off.
    small_cfg.model.test_cfg = {"mode": "slide", "crop_size": (32, 32), "stride": (32, 32)}
    windows = Predictor(small_cfg, save(small_cfg), device="cpu")
    assert np.array_equal(windows.project(file, find_unit(windows.model)[1]), expected)
    small_cfg.model.data_preprocessor.test_cfg = {"size": (96, 160)}
    padded = Predictor(small_cfg, save(small_cfg), device="cpu")
    model, unit = padded.model, find_unit(padded.model)[1]
    with torch.no_grad(), capture_projections(unit) as captured:
        model(model.data_preprocessor(padded.batch(file))["inputs"], mode="tensor")
    assert captured[0].shape == (1, 4, 12, 20)
    assert np.array_equal(padded.project(file, unit), captured[0][0, :, :8, :16].numpy())


def test_a_unit_that_does_not_run_is_refused(small_cfg, save, street_scenes):
    predictor = Predictor(small_cfg, save(small_cfg), device="cpu")
    stranger = type(find_unit(predictor.model)[1])(16)
    with pytest.raises(ValueError, match="calls this unit 0 times for a picture; expected once"):
        predictor.project(val_files(street_scenes)[0], stranger)
