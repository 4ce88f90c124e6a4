"""Images and labels of a split as stored, and the selection of some."""

import numpy as np
import pytest
from mmengine.config import ConfigDict
from PIL import Image

from glore_seg.apis import load_config
from glore_seg.apis.splits import build_image_dataset, find_images, read_image
from glore_seg.errors import ConfigError
from tests.fixtures import STREET_SCENES

PLAIN_TRAIN = [
    {"type": "LoadImageFromFile"},
    {"type": "LoadAnnotations"},
    {"type": "RandomResize", "scale": (256, 128), "ratio_range": (0.5, 2.0), "keep_ratio": True},
    {"type": "RandomCrop", "crop_size": (32, 32)},
    {"type": "RandomFlip", "prob": 0.5},
    {"type": "PackSegInputs"},
]


def images_of(root, split):
    return sorted((root / "leftImg8bit" / split).rglob("*.png"))


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
    files = images_of(street_scenes, split)
    dataset = build_image_dataset(small_cfg, split)
    assert len(dataset) == len(files)
    (named,) = find_images(small_cfg, split, [files[1].name])
    for image, file in ((named, files[1]), (read_image(dataset, 0), files[0])):
        assert image.path == file
        assert image.label.shape == (64, 128)
        assert np.array_equal(image.label, stored_label(file))
        assert np.array_equal(image.image, np.array(Image.open(file).convert("RGB")))


def test_the_test_split_has_no_ground_truth(small_cfg, street_scenes):
    (image,) = find_images(small_cfg, "test", ["0"])
    assert (image.path, image.label) == (images_of(street_scenes, "test")[0], None)


def test_labels_are_loaded_as_in_val_if_not_in_test(street_scenes):
    cfg = load_config(str(STREET_SCENES.with_name("fcn_r50_glore_cityscapes-trainval.py")))
    for split in ("val", "test"):
        cfg[f"{split}_dataloader"].dataset.data_root = str(street_scenes)
    (image,) = find_images(cfg, "train", ["0"])
    assert np.array_equal(image.label, stored_label(image.path))


def test_other_layouts_use_the_dataset_of_the_split(small_cfg, street_scenes, tmp_path):
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    for file in images_of(street_scenes, "train"):
        name = file.name.replace("_leftImg8bit", "")
        (tmp_path / "images" / name).write_bytes(file.read_bytes())
        Image.fromarray(stored_label(file)).save(tmp_path / "labels" / name)
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


def test_images_by_index_name_prefix_and_file(small_cfg, street_scenes):
    first, second = images_of(street_scenes, "val")
    found = find_images(small_cfg, "val", ["1", first.name[:-16], first.name, str(first)])
    assert [image.path for image in found] == [second, first, first, first]
    assert found[3].label is None
    small_cfg.test_dataloader.dataset.data_root = "nowhere"  # files need no dataset
    assert len(find_images(small_cfg, "val", [str(first)] * 2)) == 2


def test_a_folder_stands_for_all_images_in_it(small_cfg, street_scenes, tmp_path):
    for name, file in zip(("2.png", "1.png"), images_of(street_scenes, "val"), strict=True):
        (tmp_path / name).write_bytes(file.read_bytes())
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "deeper").mkdir()
    found = find_images(small_cfg, "val", [str(tmp_path)])
    assert [(p.path.name, p.label) for p in found] == [("1.png", None), ("2.png", None)]
    with pytest.raises(ConfigError, match="deeper"):
        find_images(small_cfg, "val", [str(tmp_path / "deeper")])


@pytest.mark.parametrize(
    ("wanted", "message"),
    [("2", "index 2 .*0 to 1"), ("nowhere.png", r"'nowhere\.png'.* 0 files"), ("", "2 files")],
)
def test_rejects_unknown_images(small_cfg, wanted, message):
    with pytest.raises(ConfigError, match=message):
        find_images(small_cfg, "val", [wanted])
