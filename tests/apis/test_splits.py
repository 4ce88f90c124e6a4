"""Images and labels of a split as stored."""

import numpy as np
import pytest
from mmengine.config import ConfigDict
from PIL import Image

from glore_seg.apis import load_config
from glore_seg.apis.predictor import Predictor
from glore_seg.apis.select_images import find_images, read_image
from glore_seg.apis.splits import build_image_dataset
from glore_seg.errors import ConfigError
from tests.engine.conftest import STREET_SCENES

PLAIN_TRAIN = [
    {"type": "LoadImageFromFile"},
    {"type": "LoadAnnotations"},
    {"type": "RandomResize", "scale": (256, 128), "ratio_range": (0.5, 2.0), "keep_ratio": True},
    {"type": "RandomCrop", "crop_size": (32, 32)},
    {"type": "RandomFlip", "prob": 0.5},
    {"type": "PackSegInputs"},
]


def stored_label(path):
    folder = path.parents[3] / "gtFine" / path.parents[1].name / path.parent.name
    name = path.name.replace("leftImg8bit", "gtFine_labelTrainIds")
    return np.array(Image.open(folder / name))


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("train", [None, PLAIN_TRAIN, "wrapped"], ids=["ours", "mmseg", "wrapped"])
def test_reads_images_and_labels_as_stored(small_cfg, street_scenes, split, train):
    loader = small_cfg.train_dataloader
    if train == "wrapped":
        loader.dataset = {"type": "ConcatDataset", "datasets": [loader.dataset]}
    elif train:
        loader.dataset.pipeline = train
    files = sorted((street_scenes / "leftImg8bit" / split).rglob("*.png"))
    dataset = build_image_dataset(small_cfg, split)
    assert len(dataset) == len(files)
    (named,) = find_images(small_cfg, split, [files[1].name])
    for image, file in ((named, files[1]), (read_image(dataset, 0), files[0])):
        assert image.path == file
        assert image.label.shape == (64, 128)
        assert np.array_equal(image.label, stored_label(file))
        assert np.array_equal(image.image, np.array(Image.open(file).convert("RGB")))


def test_the_test_split_has_no_ground_truth(small_cfg, street_scenes):
    files = sorted((street_scenes / "leftImg8bit" / "test").rglob("*.png"))
    (image,) = find_images(small_cfg, "test", ["0"])
    assert (image.path, image.label) == (files[0], None)


def test_labels_are_loaded_as_in_val_if_not_in_test(street_scenes):
    cfg = load_config(str(STREET_SCENES.with_name("fcn_r50_glore_cityscapes-trainval.py")))
    for split in ("val", "test"):
        cfg[f"{split}_dataloader"].dataset.data_root = str(street_scenes)
    (image,) = find_images(cfg, "train", ["0"])
    assert np.array_equal(image.label, stored_label(image.path))


def test_other_layouts_use_the_dataset_of_the_split(small_cfg, street_scenes, tmp_path):
    for kind, folder in (("images", "leftImg8bit"), ("labels", "gtFine")):
        (tmp_path / kind).mkdir()
        for file in (street_scenes / folder / "train").rglob("*_labelTrainIds.png"):
            (tmp_path / kind / f"{file.name[:-25]}.png").write_bytes(file.read_bytes())
        for file in (street_scenes / folder / "train").rglob("*_leftImg8bit.png"):
            (tmp_path / kind / f"{file.name[:-16]}.png").write_bytes(file.read_bytes())
    other = {
        "type": "BaseSegDataset",
        "data_root": str(tmp_path),
        "data_prefix": {"img_path": "images", "seg_map_path": "labels"},
        "img_suffix": ".png",
        "metainfo": {"classes": ("way", "footway")},
        "pipeline": [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}],
    }
    for split in ("train", "test"):
        small_cfg[f"{split}_dataloader"].dataset = ConfigDict(other)
    small_cfg.train_dataloader.dataset.pipeline = PLAIN_TRAIN
    (image,) = find_images(small_cfg, "train", ["1"])
    assert image.path.parent == tmp_path / "images"
    expected = np.array(Image.open(tmp_path / "labels" / image.path.name))
    assert np.array_equal(image.label, expected)
    small_cfg.train_dataloader.dataset = {"type": "ConcatDataset", "datasets": [other]}
    with pytest.raises(ConfigError, match=r"train_dataloader\.dataset is a ConcatDataset"):
        find_images(small_cfg, "train", ["1"])


def test_predicts_with_the_test_pipeline(small_cfg, save, street_scenes):
    file = next((street_scenes / "leftImg8bit" / "train").rglob("*.png"))
    flip = {"type": "RandomFlip", "prob": 1.0}
    small_cfg.val_dataloader.dataset.pipeline.insert(1, flip)
    checkpoint = save(small_cfg)
    tested, validated = (
        Predictor(small_cfg, checkpoint, split=split, device="cpu") for split in ("test", "val")
    )
    image = np.array(Image.open(file).convert("RGB"))[..., ::-1].transpose(2, 0, 1)
    assert np.array_equal(tested.batch(file)["inputs"][0].numpy(), image)
    assert not np.array_equal(validated.batch(file)["inputs"][0].numpy(), image)
    small_cfg.test_dataloader = None
    with pytest.raises(ConfigError, match="test_dataloader is None"):
        Predictor(small_cfg, checkpoint)
