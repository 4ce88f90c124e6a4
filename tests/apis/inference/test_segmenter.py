"""Label maps of all kinds of inputs, against the network's logits."""

import copy

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from glore_seg.apis.inference import Failure, Segmentation, Segmenter
from glore_seg.apis.predictor import Predictor
from glore_seg.errors import ConfigError, DataError
from glore_seg.visualization.panels import colorize


def reference(model, image):
    """Logits at the size of the image, with the preprocessing in plain torch."""
    mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
    x = (torch.from_numpy(image).permute(2, 0, 1).float() - mean) / std
    with torch.no_grad():
        logits = model(x[None], mode="tensor")
    return interpolate(logits, image.shape[:2], mode="bilinear")[0]


def test_labels_scores_shares_and_overlay(segmenter, model, image):
    found = segmenter(image, scores=True)
    logits = reference(model, image)
    assert isinstance(found, Segmentation)
    assert (found.labels.dtype, found.scores.dtype) == (np.uint8, np.float32)
    assert np.array_equal(found.labels, logits.argmax(0).numpy())
    np.testing.assert_allclose(found.scores, logits.softmax(0).numpy(), atol=1e-5)
    assert len(np.unique(found.labels)) > 2
    shares = found.shares()
    assert list(shares) == list(segmenter.classes)
    assert sum(shares.values()) == pytest.approx(1)
    first = segmenter.classes[found.labels[0, 0]]
    assert shares[first] == pytest.approx((found.labels == found.labels[0, 0]).mean())
    assert np.array_equal(found.overlay(0), image)
    assert np.array_equal(found.overlay(1), colorize(found.labels, segmenter.palette))
    assert segmenter(image).scores is None
    assert (found.path, segmenter.device) == (None, torch.device("cpu"))


def test_the_same_from_file_array_and_pil(segmenter, files, checkpoint, cfg):
    image = Image.open(files[0])
    expected = Predictor(cfg, checkpoint, device="cpu").predict(files[0])  # as mmseg reads it
    for given in (files[0], str(files[0]), np.array(image), image):
        found = segmenter(given)
        assert np.array_equal(found.labels, expected)
        assert np.array_equal(found.image, np.array(image))
    assert segmenter(files[0]).path == files[0]


def test_streams_lists_folders_and_globs(segmenter, files, street_scenes):
    expected = [segmenter(file).labels for file in files]
    folder = street_scenes / "leftImg8bit" / "val"
    arrays = [np.array(Image.open(file)) for file in files]
    for given in (files, iter(files), arrays, folder, f"{folder}/**/*"):
        found = list(segmenter.stream(given, batch_size=2))
        assert all(np.array_equal(f.labels, e) for f, e in zip(found, expected, strict=True))
    assert [one.path for one in segmenter.stream(folder)] == files
    assert len(list(segmenter.stream([files[0], folder]))) == 3
    assert list(segmenter.stream([])) == []


def test_rejects_empty_inputs(segmenter, tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    for given in (tmp_path, f"{tmp_path}/*.png"):
        with pytest.raises(DataError, match=str(given).replace("*", r"\*")):
            segmenter.stream(given)
    with pytest.raises(ConfigError, match="batch_size is 0"):
        segmenter.stream(tmp_path, batch_size=0)
    with pytest.raises(DataError, match=r"no\.png"):
        segmenter(tmp_path / "no.png")


def test_consecutive_images_of_one_size_run_together(segmenter, image, monkeypatch):
    sizes, run = [], segmenter.predictor.predict_batch
    images = [image, image[:, ::-1], image[::-1], image[:24], image[:24, ::-1], image]
    expected = [segmenter(one).labels for one in images]

    def record(batch, *, scores):
        sizes.append((len(batch), batch[0].shape[0]))
        return run(batch, scores=scores)

    monkeypatch.setattr(segmenter.predictor, "predict_batch", record)
    found = list(segmenter.stream(images, batch_size=2))
    assert sizes == [(2, 40), (1, 40), (2, 24), (1, 40)]
    agree = [np.mean(f.labels == e) for f, e in zip(found, expected, strict=True)]
    assert min(agree) > 0.999  # a batch is summed in another order


def test_a_stream_continues_after_failures_and_is_lazy(segmenter, files, tmp_path):
    bad = tmp_path / "bad.png"
    data = files[0].read_bytes()
    bad.write_bytes(data[: len(data) * 2 // 3])
    read = []

    def images():
        for path in (bad, files[0], tmp_path / "missing.png", files[1]):
            read.append(path)
            yield path

    stream = segmenter.stream(images())
    assert read == []
    first = next(stream)
    assert read == [bad]
    assert isinstance(first, Failure)
    assert first.path == bad
    assert str(bad) in str(first.error)
    assert [type(one) for one in stream] == [Segmentation, Failure, Segmentation]
    together = list(segmenter.stream([bad, files[0], files[1]], batch_size=2))
    assert [type(one) for one in together] == [Failure, Segmentation, Segmentation]
    with pytest.raises(DataError, match=r"bad\.png"):
        segmenter(bad)


def test_names_an_image_that_the_network_cannot_take(segmenter, cfg, checkpoint, image):
    changed = copy.deepcopy(cfg)
    resize = {"type": "Resize", "scale": (64, 32), "keep_ratio": True}
    changed.test_dataloader.dataset.pipeline.insert(1, resize)
    resizing = Segmenter(changed, checkpoint=checkpoint, device="cpu")
    assert resizing(image).labels.shape == (40, 56)  # comes back at its own size
    thin = np.zeros((1, 5000, 3), np.uint8)
    found = list(resizing.stream([thin, thin, image], batch_size=2))
    assert [type(one) for one in found] == [Failure, Failure, Segmentation]
    assert "image 1 (1 x 5000 pixels)" in str(found[1].error)
    for size in ((1, 1), (1, 5000), (5000, 1), (7, 3)):  # as they are, they can be segmented
        assert segmenter(np.full((*size, 3), 99, np.uint8)).labels.shape == size


def test_windows_and_test_time_augmentation(cfg, checkpoint, model, image):
    windows = {"crop_size": (32, 32), "stride": (24, 24)}
    changed = copy.deepcopy(cfg)
    changed.model.test_cfg.update(windows)
    slide = Segmenter(changed, checkpoint=checkpoint, mode="slide", device="cpu")
    whole = Segmenter(changed, checkpoint=checkpoint, mode="whole", device="cpu")
    assert np.array_equal(whole(image).labels, reference(model, image).argmax(0).numpy())
    assert not np.array_equal(slide(image).labels, whole(image).labels)
    with pytest.raises(ConfigError, match=r"test_cfg\.crop_size is None"):
        Segmenter(checkpoint, mode="slide", device="cpu")
    options = {f"model.test_cfg.{key}": value for key, value in windows.items()}
    again = Segmenter(checkpoint, mode="slide", device="cpu", cfg_options=options)
    assert np.array_equal(again(image).labels, slide(image).labels)

    changed.tta_model = {"type": "SegTTAModel"}  # mmseg's, which ours replaces
    tta = Segmenter(changed, checkpoint=checkpoint, tta=True, mode="whole", device="cpu")
    found = tta(image, scores=True)
    parts = []  # the mean over scale and flip, written out
    for scale in (1.0, 0.5):
        size = (int(56 * scale + 0.5), int(40 * scale + 0.5))
        scaled = cv2.resize(image, size)
        for step in (1, -1):
            logits = reference(model, np.ascontiguousarray(scaled[:, ::step]))
            logits = interpolate(logits[None], (40, 56), mode="bilinear")[0]
            parts.append(logits.flip(-1) if step == -1 else logits)
    expected = torch.stack([part.softmax(0) for part in parts]).mean(0).numpy()
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert np.array_equal(found.labels, found.scores.argmax(0))
    both = list(tta.stream([image, image], batch_size=2, scores=True))
    np.testing.assert_allclose(both[1].scores, found.scores, atol=1e-5)


def test_bf16_nearly_agrees(segmenter, checkpoint, image):
    half = Segmenter(checkpoint, precision="bf16", device="cpu")
    exact, rounded = segmenter(image, scores=True), half(image, scores=True)
    difference = np.abs(exact.scores - rounded.scores).max()
    assert 0 < difference < 0.1
    assert rounded.scores.dtype == np.float32
    with pytest.raises(ConfigError, match="'fp16'"):
        Segmenter(checkpoint, precision="fp16", device="cpu")


def test_under_mmsegs_own_inferencer(segmenter, cfg, checkpoint, files, tmp_path):
    from mmseg.apis import MMSegInferencer, inference_model, init_model

    cfg.dump(tmp_path / "small.py")
    inferencer = MMSegInferencer(str(tmp_path / "small.py"), str(checkpoint), device="cpu")
    expected = [segmenter(file).labels for file in files]
    found = inferencer([str(file) for file in files], show=False)["predictions"]
    assert all(np.array_equal(f, e) for f, e in zip(found, expected, strict=True))
    sample = inference_model(init_model(copy.deepcopy(cfg), str(checkpoint), "cpu"), str(files[0]))
    assert np.array_equal(sample.pred_sem_seg.data[0].numpy(), expected[0])
