import mmcv
import numpy as np
import pytest
import torch
from PIL import Image

from glore_seg.apis import use_tta
from glore_seg.apis.predictor import Predictor
from glore_seg.errors import ConfigError
from glore_seg.visualization import capture_projections, find_unit


@pytest.fixture
def files(street_scenes):
    return sorted((street_scenes / "leftImg8bit/val").rglob("*.png"))


def test_predicts_the_largest_logit_at_the_size_of_the_image(small_cfg, save, files):
    predictor = Predictor(small_cfg, save(small_cfg), device="cpu")
    assert predictor.classes[0] == "road"
    assert list(predictor.palette[0]) == [128, 64, 128]
    prediction = predictor.predict(files[0])
    assert (prediction.shape, prediction.dtype) == ((64, 128), np.uint8)
    model = predictor.model
    with torch.no_grad():
        logits = model(model.data_preprocessor(predictor.batch(files[0]))["inputs"], mode="tensor")
    logits = torch.nn.functional.interpolate(logits, (64, 128), mode="bilinear")
    assert np.array_equal(prediction, logits[0].argmax(0).numpy().astype(np.uint8))
    # An image that the pipeline shrinks comes back at its own size.
    resize = {"type": "Resize", "scale": (64, 32), "keep_ratio": True}
    small_cfg.test_dataloader.dataset.pipeline.insert(1, resize)
    assert Predictor(small_cfg, save(small_cfg)).predict(files[0]).shape == (64, 128)


def test_the_pipeline_is_that_of_the_split(small_cfg, save, files):
    flip = {"type": "RandomFlip", "prob": 1.0}
    small_cfg.val_dataloader.dataset.pipeline.insert(1, flip)
    checkpoint = save(small_cfg)
    tested, validated = (
        Predictor(small_cfg, checkpoint, split=split, device="cpu") for split in ("test", "val")
    )
    image = np.array(Image.open(files[0]).convert("RGB"))[..., ::-1].transpose(2, 0, 1)
    assert np.array_equal(tested.batch(files[0])["inputs"][0].numpy(), image)
    assert np.array_equal(validated.batch(files[0])["inputs"][0].numpy(), image[..., ::-1])
    small_cfg.test_dataloader = None
    with pytest.raises(ConfigError, match="test_dataloader is None"):
        Predictor(small_cfg, checkpoint)


def test_projects_by_the_unit_on_the_image_in_one_piece(small_cfg, save, files):
    file = files[0]
    predictor = Predictor(small_cfg, save(small_cfg), device="cpu")
    name, unit = find_unit(predictor.model)
    assert name == "decode_head.units.0"
    weights = predictor.project(file, unit)
    assert (weights.shape, weights.dtype) == ((6, 8, 16), np.float32)
    model, seen = predictor.model, []
    handle = model.decode_head.convs[0].register_forward_hook(lambda *a: seen.append(a[2]))
    with torch.no_grad():
        model(model.data_preprocessor(predictor.batch(file))["inputs"], mode="tensor")
        expected = unit.project(seen[0])[0].numpy()
    handle.remove()
    assert np.array_equal(weights, expected)
    with pytest.raises(ConfigError, match="0 times"):  # a unit of another network
        predictor.project(file, type(unit)(16))

    # Also where the config tests by windows, and where it pads: the padding is cut off.
    small_cfg.model.test_cfg = {"mode": "slide", "crop_size": (32, 32), "stride": (32, 32)}
    windows = Predictor(small_cfg, save(small_cfg), device="cpu")
    assert np.array_equal(windows.project(file, find_unit(windows.model)[1]), expected)
    small_cfg.model.data_preprocessor.test_cfg = {"size": (96, 160)}
    padded = Predictor(small_cfg, save(small_cfg), device="cpu")
    model, unit = padded.model, find_unit(padded.model)[1]
    with torch.no_grad(), capture_projections(unit) as captured:
        model(model.data_preprocessor(padded.batch(file))["inputs"], mode="tensor")
    assert captured[0].shape == (1, 6, 12, 20)
    assert np.array_equal(padded.project(file, unit), captured[0][0, :, :8, :16].numpy())


def test_arrays_batches_and_scores(small_cfg, save, files):
    predictor = Predictor(small_cfg, save(small_cfg), device="cpu")
    arrays = [mmcv.imread(str(file), channel_order="rgb") for file in files]
    expected = [predictor.predict(file) for file in files]
    assert np.array_equal(predictor.predict(arrays[0]), expected[0])
    found = predictor.predict_batch([files[0], arrays[1]], scores=True)
    for (labels, scores), wanted in zip(found, expected, strict=True):
        assert np.mean(labels == wanted) > 0.999
        np.testing.assert_allclose(scores.sum(0), 1, atol=1e-5)
        assert np.array_equal(scores.argmax(0), labels)
    assert predictor.gives_scores
    small_cfg.tta_model = {"type": "SegTTAModel"}
    use_tta(small_cfg)
    small_cfg.tta_pipeline[1].type = "TestTimeAug"
    assert not Predictor(small_cfg, save(small_cfg), device="cpu").gives_scores


def test_precision_is_that_of_the_config_by_default(small_cfg, save, files):
    checkpoint = save(small_cfg)

    def scores(**options):
        predictor = Predictor(small_cfg, checkpoint, device="cpu", **options)
        ((_, found),) = predictor.predict_batch(files[:1], scores=True)
        return found

    exact, half = scores(), scores(precision="bf16")
    assert not np.array_equal(exact, half)
    small_cfg.test_cfg.fp16 = True
    assert np.array_equal(scores(), half)  # bfloat16 on a CPU
    assert np.array_equal(scores(precision="fp32"), exact)
