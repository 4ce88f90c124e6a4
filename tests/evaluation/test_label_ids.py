import numpy as np
import pytest

from glore_seg.errors import DataError
from glore_seg.evaluation import CityscapesScorer, label_id_table
from glore_seg.evaluation.label_ids import (
    LABEL_FORMATS,
    label_ids_path,
    table_of_format,
    update_from_files,
    write_label_map,
)
from glore_seg.utils.image_io import read_label_map, write_png

ROAD = np.full((2, 3), 7, np.uint8)


def test_label_ids_belong_to_train_ids(tmp_path):
    name = "a_labelTrainIds.png_gtFine"
    assert (
        label_ids_path(tmp_path / f"{name}_labelTrainIds.png") == tmp_path / f"{name}_labelIds.png"
    )
    assert label_ids_path(tmp_path / "a.png") is None
    assert label_ids_path(None) is None


def test_scores_against_files(tmp_path):
    path = tmp_path / "a_gtFine_labelIds.png"
    with pytest.raises(DataError, match="a_gtFine_labelIds"):
        update_from_files(CityscapesScorer(), ROAD, path)
    write_png(path, ROAD)
    scorer = CityscapesScorer()
    update_from_files(scorer, ROAD, path)
    scores = scorer.compute().as_dict()
    assert (scores["mIoU"], np.isnan(scores["miIoU"])) == (100, True)
    with pytest.raises(DataError, match="instanceIds"):
        update_from_files(scorer, ROAD, path, instances=True)
    write_png(tmp_path / "a_gtFine_instanceIds.png", ROAD.astype(np.uint16) * 1000)
    with pytest.raises(DataError, match=r"a_gtFine_labelIds.*7000"):
        update_from_files(scorer, ROAD, path)
    update_from_files(scorer, ROAD, path, instances=False)
    path.write_bytes(b"text")
    with pytest.raises(DataError, match="a_gtFine_labelIds"):
        update_from_files(scorer, ROAD, path)


def test_label_maps_are_written_with_a_table(tmp_path):
    table = label_id_table(["road", "bicycle", "sky"])
    assert table.tolist() == [7, 33, 23]
    labels = np.array([[0, 1, 2]], np.uint8)
    write_label_map(tmp_path / "a" / "1.png", labels, table)
    write_label_map(tmp_path / "a" / "2.png", labels)
    assert read_label_map(tmp_path / "a" / "1.png").tolist() == [[7, 33, 23]]
    assert read_label_map(tmp_path / "a" / "2.png").tolist() == [[0, 1, 2]]
    with pytest.raises(DataError, match="'tree', 'caravan'"):
        label_id_table(["road", "tree", "caravan"])


@pytest.mark.parametrize(
    ("reduce_zero_label", "expected"),
    [(False, [[0, 1], [0, 1], [7, 26]]), (True, [[1, 2], [0, 1], [7, 26]])],
)
def test_formats(tmp_path, reduce_zero_label, expected):
    labels, classes = np.array([[0, 1]], np.uint8), ["road", "car"]
    for name, values in zip(LABEL_FORMATS, expected, strict=True):
        table = table_of_format(name, classes, reduce_zero_label=reduce_zero_label)
        write_label_map(tmp_path / "1.png", labels, table)
        assert read_label_map(tmp_path / "1.png").tolist() == [values]
