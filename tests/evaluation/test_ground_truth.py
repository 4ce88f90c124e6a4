import numpy as np
import pytest

from glore_seg.errors import GloReSegError
from glore_seg.evaluation.ground_truth import (
    INSTANCE_IDS,
    LABEL_IDS,
    TRAIN_IDS,
    beside,
    read_instances,
)
from glore_seg.utils.image_io import read_label_map, write_png


def test_ids_are_read_as_stored(tmp_path):
    train_ids = tmp_path / "a_labelTrainIds.png_gtFine_labelTrainIds.png"
    labels = beside(train_ids, TRAIN_IDS, LABEL_IDS)
    assert labels == tmp_path / "a_labelTrainIds.png_gtFine_labelIds.png"  # the ending alone
    instances = beside(labels, LABEL_IDS, INSTANCE_IDS)
    assert read_instances(instances, mend="x") is None
    for path, dtype, value in ((labels, np.uint8, 33), (instances, np.uint16, 26001)):
        write_png(path, np.full((2, 3), value, dtype))
        found = read_label_map(path, fix="x")
        assert (found.shape, found.dtype, found.max()) == ((2, 3), dtype, value)
    assert read_instances(instances, mend="x").max() == 26001


def test_what_can_not_be_read_is_refused(tmp_path):
    path = tmp_path / "a_labelIds.png"
    with pytest.raises(GloReSegError, match=r"a_labelIds\.png is missing: make it"):
        read_label_map(path, fix="make it")
    path.write_bytes(b"text")
    with pytest.raises(ValueError, match=r"labelIds\.png cannot be read as an image"):
        read_instances(path, mend="make it")
