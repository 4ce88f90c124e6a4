"""A dataset that cannot list its samples names the folder, the suffix or the list."""

import pytest
from mmengine.config import Config

from glore_seg.documented_errors import is_documented
from glore_seg.engine import build_dataset
from glore_seg.engine.data_errors import explain_data_error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data_root": "nowhere"}, r"finds no nowhere/leftImg8bit/train \(from .*data_prefix"),
        ({"img_suffix": ".tif"}, r"no image \*\.tif in .*leftImg8bit/train or below.*img_suffix"),
        ({"ann_file": "list.txt"}, r"has no samples: ann_file .*list\.txt names none"),
    ],
)
def test_stock_data_sets(options, message, street_scenes, tmp_path):
    (tmp_path / "list.txt").touch()
    if "ann_file" in options:
        options = {"ann_file": str(tmp_path / "list.txt")}
    dataset = {
        "type": "CityscapesDataset",
        "data_root": str(street_scenes),
        "data_prefix": {"img_path": "leftImg8bit/train", "seg_map_path": "gtFine/train"},
        **options,
    }
    cfg = Config({"train_dataloader": {"dataset": dataset}})
    with pytest.raises(ValueError, match=f"CityscapesDataset.*{message}") as raised:
        build_dataset(cfg, "train")
    assert is_documented(raised.value)


def test_errors_of_others_are_not_explained():
    assert explain_data_error(None) is None
    assert explain_data_error(FileNotFoundError(2, "away", "nowhere.pth")) is None
