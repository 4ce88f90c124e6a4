"""Samples that cannot be had are told with their file or the step of the pipeline, in one line."""

import json
import pickle
import re

import numpy as np
import pytest
from mmcv.transforms import BaseTransform, LoadImageFromFile, Resize
from mmengine.dataset import BaseDataset, ConcatDataset, pseudo_collate
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image
from torch._utils import ExceptionWrapper
from torch.utils.data import DataLoader, IterableDataset

from glore_seg.datasets.guarded_dataset import GuardedDataset, guard, guarded
from glore_seg.datasets.sample_faults import SampleError, fault_of
from glore_seg.documented_errors import as_line, is_documented

SHAPE = (6, 8)


class OfTheUser(BaseTransform):
    def __init__(self, error):
        self.error = error

    def transform(self, results):
        raise self.error


@pytest.fixture
def make(tmp_path):
    """Makes a guarded dataset of three images with labels."""
    for number in range(3):
        Image.fromarray(np.full((*SHAPE, 3), number, np.uint8)).save(tmp_path / f"{number}.png")
        Image.fromarray(np.full(SHAPE, number, np.uint8)).save(tmp_path / f"{number}_label.png")
    places = [
        {
            "img_path": str(tmp_path / f"{number}.png"),
            "seg_map_path": str(tmp_path / f"{number}_label.png"),
            "seg_fields": [],
            "reduce_zero_label": False,
        }
        for number in range(3)
    ]
    listed = {"metainfo": {"classes": ["a", "b"]}, "data_list": places}
    (tmp_path / "list.json").write_text(json.dumps(listed))

    def make(*steps):
        steps = [LoadImageFromFile(), LoadAnnotations(), *steps]
        data = BaseDataset(str(tmp_path / "list.json"), test_mode=True, pipeline=steps)
        return GuardedDataset(data, part="test_dataloader")

    return make


def error_of(data, in_worker=False):
    """What a loader raises, as it is or as torch raises it anew for a worker."""
    with pytest.raises(Exception) as raised:  # noqa: PT011  each test looks at it
        list(DataLoader(data, collate_fn=pseudo_collate))
    if not in_worker:
        return raised.value
    wrapper = ExceptionWrapper(raised._excinfo, where="in DataLoader worker process 0")
    with pytest.raises(Exception) as again:  # noqa: PT011
        wrapper.reraise()
    return again.value


@pytest.mark.parametrize("in_worker", [False, True])
def test_a_damaged_file_is_one_line_from_a_worker_too(make, tmp_path, in_worker):
    (tmp_path / "1.png").write_bytes(b"no image")
    error = error_of(make(), in_worker)
    assert type(error) is SampleError
    assert is_documented(error)
    assert as_line(error) == (
        f"{tmp_path}/1.png cannot be read (AssertionError: failed to load image: {tmp_path}/1.png)"
        ". No sample is left out here: get the file again"
    )


def test_a_label_is_named_where_its_reader_names_none(make, tmp_path):
    (tmp_path / "2_label.png").write_bytes(b"no image")
    message = rf"^{tmp_path}/2_label\.png cannot be read \(UnidentifiedImageError: cannot identify"
    with pytest.raises(SampleError, match=message):
        make()[2]
    (tmp_path / "1.png").unlink()
    message = r"/1\.png cannot be read \(FileNotFoundError: No such file or directory\)\. No sample"
    with pytest.raises(SampleError, match=message):
        make()[1]


@pytest.mark.parametrize("in_worker", [False, True])
def test_a_step_that_does_not_fit_is_named(make, in_worker):
    error = error_of(make(Resize(scale=(0, 0))), in_worker)
    assert is_documented(error)
    assert re.match(
        r"Resize of test_dataloader\.dataset\.pipeline fails on /\S+/0\.png \(.*; at \S+\.py:\d+\)"
        r"; expected settings that fit the data: correct the config",
        as_line(error),
    )


@pytest.mark.parametrize("kind", [ValueError, AssertionError, KeyError])
def test_a_transform_of_the_users_keeps_its_traceback(make, kind):
    for in_worker in (False, True):
        error = error_of(make(OfTheUser(kind("mine"))), in_worker)
        assert type(error) is kind
        assert not is_documented(error)
    assert "in transform\n" in str(error)


def test_what_neither_file_nor_pipeline_is_to_blame_for_passes():
    for error in (MemoryError(), RuntimeError("DataLoader worker (pid 7) is killed by signal")):
        assert fault_of(error, "a part", dict) is None
    with pytest.raises(KeyboardInterrupt):
        GuardedDataset([Interrupting()], part="x")[0][0]


class Interrupting:
    def __getitem__(self, index):
        raise KeyboardInterrupt


def test_all_but_the_errors_is_the_data_sets(make):
    data = make()
    assert data.metainfo == {"classes": ["a", "b"]}
    assert len(data) == 3
    assert data.get_data_info(2)["sample_idx"] == 2
    batches = DataLoader(data, batch_size=2, collate_fn=pseudo_collate)
    assert [image[0, 0, 0] for batch in batches for image in batch["img"]] == [0, 1, 2]
    assert pickle.loads(pickle.dumps(data))[1]["img"].shape == (*SHAPE, 3)
    with pytest.raises(AttributeError, match="nothing"):
        _ = data.nothing


def test_data_sets_within_others(make, tmp_path):
    (tmp_path / "0.png").write_bytes(b"")
    both = GuardedDataset(ConcatDataset([make().dataset, make().dataset]), part="x")
    assert len(both) == 6
    with pytest.raises(SampleError, match=r"/0\.png cannot be read"):
        both[3]


def test_a_loaders_config_stays_as_it_is():
    loader = {"batch_size": 2, "dataset": {"type": "A"}}
    assert guarded(loader, "val_dataloader") == {
        "batch_size": 2,
        "dataset": {"type": guard, "dataset": {"type": "A"}, "part": "val_dataloader"},
    }
    assert loader["dataset"] == {"type": "A"}


def test_it_is_taken_for_what_it_guards(make):
    data = make()
    assert isinstance(data, BaseDataset)
    assert isinstance(data, GuardedDataset)
    assert len(list(data)) == 3
    data.noted = 7
    assert data.dataset.noted == data.noted == 7
    again = pickle.loads(pickle.dumps(data))
    assert type(again) is GuardedDataset
    assert again.noted == 7
    assert again[1]["img_path"] == data[1]["img_path"]


def test_batches_of_the_data_sets_own():
    class Batched(list):
        def __getitems__(self, indices):
            return [self[index] + 100 for index in indices]

    assert GuardedDataset(Batched([1, 2, 3]), part="x").__getitems__([0, 2]) == [101, 103]
    assert GuardedDataset([1, 2, 3], part="x").__getitems__([0, 2]) == [1, 3]


def test_what_has_no_index_is_left_alone():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(range(3))

    assert list(DataLoader(guard(Stream(), part="x"), batch_size=None)) == [0, 1, 2]
