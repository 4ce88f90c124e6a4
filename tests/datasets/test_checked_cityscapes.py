from functools import partial

import numpy as np
import pytest

from glore_seg.datasets import CAMVID_CLASSES, CheckedCityscapesDataset, convert_camvid
from glore_seg.errors import DataError
from tests.datasets.packed.crops import build as build_with_crops

PIPELINE = [{"type": "LoadImageFromFile"}, {"type": "LoadCheckedAnnotations"}]
build = partial(build_with_crops, pipeline=PIPELINE)


def test_reads_street_scenes(scenes):
    data = build(scenes)
    assert isinstance(data, CheckedCityscapesDataset)
    assert len(data) == 24
    assert len(data.metainfo["classes"]) == 19
    item = data[0]
    assert item["img"].shape == (128, 256, 3)
    assert item["gt_seg_map"].shape == (128, 256)
    assert set(np.unique(item["gt_seg_map"])) <= {*range(19), 255}


def test_subset_of_classes_on_camvid(camvid, tmp_path):
    convert_camvid(camvid, tmp_path / "out", progress=False)
    data = build(tmp_path / "out", metainfo={"classes": CAMVID_CLASSES})
    assert data.metainfo["classes"] == CAMVID_CLASSES
    assert len(data.metainfo["palette"]) == 11
    label = data[0]["gt_seg_map"]
    assert set(np.unique(label)) == {*range(11), 255}
    assert (label == 255).sum() == 12 * 16 / 12
    # CamVid's index 3, road, is the first class
    assert (label[0] == 0).nonzero()[0].tolist() == [3, 15]


@pytest.mark.parametrize("seg_map_path", [None, "gtFine/test"])
def test_test_split_without_labels(scenes, seg_map_path):
    prefix = {"img_path": "leftImg8bit/test"}
    if seg_map_path:
        prefix["seg_map_path"] = seg_map_path
    data = build(scenes, data_prefix=prefix, test_mode=True, pipeline=PIPELINE[:1])
    assert len(data) == 3
    assert "seg_map_path" not in data[0]
    assert build(scenes, split="val", test_mode=True)[0]["gt_seg_map"].shape == (128, 256)


def test_ann_file_picks_images(scenes, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("aachen/aachen_000000_000019\n")
    assert len(build(scenes, ann_file=str(names))) == 1
    names.write_text("aachen/aachen_999999_000019\n")
    with pytest.raises(DataError, match="1 images have no"):
        build(scenes, ann_file=str(names))


def test_rejects_missing_folders_and_images(few_scenes, tmp_path):
    with pytest.raises(DataError, match=r"img_path .*none/leftImg8bit/train is missing"):
        build(tmp_path / "none")
    with pytest.raises(DataError, match=r"seg_map_path .*gtFine/test is missing"):
        build(few_scenes, split="test")
    with pytest.raises(DataError, match=r"no image \*\.jpg in"):
        build(few_scenes, img_suffix=".jpg")


def test_rejects_unpaired_files(few_scenes):
    image = min(few_scenes.rglob("*train/*/*_leftImg8bit.png"))
    spare = image.rename(few_scenes / image.name)
    with pytest.raises(DataError, match=r"3 images, 4 labels: 1 labels in .*aachen_000000_000019"):
        build(few_scenes)
    spare.rename(image)
    for kind in ("labelIds", "labelTrainIds"):
        min(few_scenes.rglob(f"*train/*/*_{kind}.png")).unlink()
    with pytest.raises(DataError, match=r"4 images, 3 labels: 1 images .*aachen_000000_000019"):
        build(few_scenes)


@pytest.mark.parametrize("test_mode", [False, True])
def test_rejects_label_ids_without_train_ids(few_scenes, test_mode):
    for path in few_scenes.rglob("*_labelTrainIds.png"):
        path.unlink()
    message = r"4 of 4 images have labelIds but no labelTrainIds.*dataset_converters/cityscapes"
    with pytest.raises(DataError, match=message):
        build(few_scenes, test_mode=test_mode)


def test_remote_backends_are_not_checked(few_scenes, monkeypatch):
    from mmseg.datasets import CityscapesDataset

    monkeypatch.setattr(CityscapesDataset, "load_data_list", lambda self: [{"img_path": "x"}])
    assert len(build("/none", backend_args={"backend": "petrel"}, pipeline=[])) == 1
