import numpy as np
import pytest
import torch
from PIL import Image

from glore_seg.engine import build_dataset
from glore_seg.engine.predicting import Predictor, find_pictures, read_picture
from glore_seg.visualization import capture_projections, find_unit


def val_files(street_scenes):
    return sorted((street_scenes / "leftImg8bit/val").rglob("*.png"))


def test_pictures_by_index_name_and_file(small_cfg, street_scenes):
    first, second = val_files(street_scenes)
    found = find_pictures(small_cfg, "val", ["1", first.name[:-16], first.name, str(first)])
    assert [picture.path for picture in found] == [second, first, first, first]
    label = first.parents[3] / "gtFine/val" / first.parent.name / first.name
    label = label.with_name(first.name.replace("leftImg8bit", "gtFine_labelTrainIds"))
    assert np.array_equal(found[1].label, np.array(Image.open(label)))
    assert found[3].label is None
    assert np.array_equal(found[0].image, np.array(Image.open(second).convert("RGB")))


def test_files_need_no_data_set(small_cfg, street_scenes, tmp_path):
    small_cfg.test_dataloader.dataset.data_root = str(tmp_path / "nowhere")
    file = str(val_files(street_scenes)[0])
    assert len(find_pictures(small_cfg, "val", [file, file])) == 2


def test_a_folder_is_all_pictures_in_it(small_cfg, street_scenes, tmp_path):
    for name, file in zip(("2.png", "1.png"), val_files(street_scenes), strict=True):
        (tmp_path / name).write_bytes(file.read_bytes())
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "deeper").mkdir()
    found = find_pictures(small_cfg, "val", [str(tmp_path)])
    assert [(p.path.name, p.label) for p in found] == [("1.png", None), ("2.png", None)]
    with pytest.raises(ValueError, match="deeper holds no picture; expected one or more directly"):
        find_pictures(small_cfg, "val", [str(tmp_path / "deeper")])


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("2", "picture 2 of val: the data set has 2 pictures, the first is 0"),
        ("nowhere.png", r"'nowhere\.png' is no file, and 0 pictures of val begin with it; give"),
        ("", r"'' is no file, and 2 pictures of val begin with it: .*_leftImg8bit\.png, \.\.\.;"),
    ],
)
def test_what_is_not_there_is_refused(small_cfg, wanted, message):
    with pytest.raises(ValueError, match=message):
        find_pictures(small_cfg, "val", [wanted])


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


def test_without_labels_there_is_none(small_cfg):
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "PackSegInputs"}]
    small_cfg.val_dataloader.dataset.pipeline = pipeline
    assert read_picture(build_dataset(small_cfg, "val"), 0).label is None
