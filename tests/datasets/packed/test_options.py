"""What may be packed other than the training split of Cityscapes."""

import cv2
import pytest

from glore_seg.datasets import pack_dataset
from glore_seg.datasets.packed import PIXELS
from glore_seg.errors import GloReSegError
from tests.datasets.packed.reading import CROP, build, same_crops


def test_a_split_named_twice_is_packed_once(few_scenes, pack, tmp_path):
    other = tmp_path / "other"
    splits = ("train", "train", "./train")
    assert pack_dataset(few_scenes, other, splits=splits, progress=False) == (4, 0)
    assert (other / PIXELS).read_bytes() == (pack / PIXELS).read_bytes()


def test_other_suffixes_and_classes(few_scenes, tmp_path):
    for path in list(few_scenes.rglob("*_leftImg8bit.png")):
        path.rename(path.with_name(path.name.replace("_leftImg8bit.png", "[1].png")))
    for path in list(few_scenes.rglob("*_labelTrainIds.png")):
        label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        label[:4] = 23
        name = path.name.replace("_gtFine_labelTrainIds.png", "_classes.png")
        assert cv2.imwrite(str(path.with_name(name)), label)
    suffixes = {"img_suffix": "[1].png", "seg_map_suffix": "_classes.png"}
    pack = tmp_path / "pack"
    with pytest.raises(GloReSegError, match=r"no \*_leftImg8bit\.png in .* another img_suffix"):
        pack_dataset(few_scenes, pack, progress=False)
    with pytest.raises(ValueError, match=r"holds \[23\]; expected class indices 0 to 18"):
        pack_dataset(few_scenes, pack, **suffixes, progress=False)
    made = pack_dataset(few_scenes, pack, **suffixes, num_classes=24, progress=False)
    assert made == (4, 0)
    pipeline = [{**CROP, "num_classes": 24}]
    options = {**suffixes, "pipeline": pipeline}
    same_crops(build(few_scenes, **options), build(few_scenes, pack, **options))
    with pytest.raises(ValueError, match=r"4 images have changed .* --seg-map-suffix"):
        build(few_scenes, pack, **{**options, "seg_map_suffix": "_gtFine_labelTrainIds.png"})


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"img_suffix": ""}, "img_suffix is ''; expected the end of a file's name"),
        ({"seg_map_suffix": "x/y.png"}, "seg_map_suffix is 'x/y.png'; expected the end"),
        ({"num_classes": 0}, "num_classes is 0; expected 1 to 255"),
    ],
)
def test_options_out_of_range_are_refused_at_once(few_scenes, tmp_path, option, message):
    with pytest.raises(ValueError, match=message):
        pack_dataset(few_scenes, tmp_path / "pack", **option, progress=False)
    assert not (tmp_path / "pack").exists()
