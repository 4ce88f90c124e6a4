import numpy as np
import pytest
from PIL import Image

from glore_seg.apis.select_images import find_images, read_image
from glore_seg.engine import build_dataset
from glore_seg.errors import ConfigError


def val_files(street_scenes):
    return sorted((street_scenes / "leftImg8bit/val").rglob("*.png"))


def test_images_by_index_name_and_file(small_cfg, street_scenes):
    first, second = val_files(street_scenes)
    found = find_images(small_cfg, "val", ["1", first.name[:-16], first.name, str(first)])
    assert [image.path for image in found] == [second, first, first, first]
    label = first.parents[3] / "gtFine/val" / first.parent.name / first.name
    label = label.with_name(first.name.replace("leftImg8bit", "gtFine_labelTrainIds"))
    assert np.array_equal(found[1].label, np.array(Image.open(label)))
    assert found[3].label is None
    assert np.array_equal(found[0].image, np.array(Image.open(second).convert("RGB")))


def test_files_need_no_dataset(small_cfg, street_scenes, tmp_path):
    small_cfg.test_dataloader.dataset.data_root = str(tmp_path / "nowhere")
    file = str(val_files(street_scenes)[0])
    assert len(find_images(small_cfg, "val", [file, file])) == 2


def test_a_folder_stands_for_all_images_in_it(small_cfg, street_scenes, tmp_path):
    for name, file in zip(("2.png", "1.png"), val_files(street_scenes), strict=True):
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


def test_without_labels_there_is_none(small_cfg):
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "PackSegInputs"}]
    small_cfg.val_dataloader.dataset.pipeline = pipeline
    assert read_image(build_dataset(small_cfg, "val"), 0).label is None
