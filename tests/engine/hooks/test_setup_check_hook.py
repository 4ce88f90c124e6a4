"""Checkpoints and data that do not fit are refused, whatever the config."""

import random

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmseg.datasets import BaseSegDataset
from PIL import Image
from torch import nn

from glore_seg.engine import SetupCheckHook, build_runner
from glore_seg.engine.checkpoint_checks import check_state_dict
from glore_seg.engine.hooks.setup_check_hook import (
    check_classes,
    check_same_classes,
    check_samples,
)
from glore_seg.errors import CheckpointError, ConfigError, CorruptedFileError, DataError
from glore_seg.layers import GloReUnit
from tests.configs.shrinking import name_run
from tests.engine.toy import config

IMAGE = {"type": "LoadImageFromFile"}
LABEL = {"type": "mmseg.LoadAnnotations"}
PACK = {"type": "mmseg.PackSegInputs"}


def check(model, state, strict=True):
    check_state_dict(model, state, source="weights.pth", strict=strict)


def test_what_fits():
    unit = GloReUnit(16)
    state = unit.state_dict()
    check(unit, state)
    check(unit, {f"module.{k}": v for k, v in state.items()})
    check(unit, {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")})
    check(unit, {**state, "auxiliary_head.conv_seg.weight": torch.zeros(1)})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (GloReUnit(16, num_graph_convs=2), r"12 of 12 .*3 not in the model: gcn2.conv1.weight"),
        (GloReUnit(16, share_projection=False), "2 not in the model: conv_reproj.weight"),
        (GloReUnit(16, num_nodes=5, num_states=8), r"conv_proj.weight \(5, 16, 1, 1\), needed"),
        (nn.Linear(3, 3), r"0 of 12 .*12 missing: conv_state.weight.* and 8 more"),
    ],
)
def test_what_does_not(other, message):
    with pytest.raises(CheckpointError, match=message) as error:
        check(GloReUnit(16), other.state_dict())
    assert str(error.value).startswith("weights.pth is of another network than the config")


def test_a_start_needs_something_in_common():
    unit = GloReUnit(16)
    check(unit, GloReUnit(16, num_nodes=5, num_states=8).state_dict(), strict=False)
    with pytest.raises(CheckpointError, match="no parameter in common with this GloReUnit"):
        check(unit, nn.Linear(3, 3).state_dict(), strict=False)


class Renaming(nn.Linear):
    """Knows its weight by an old name, too."""

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if f"{prefix}old" in state_dict:
            state_dict[f"{prefix}weight"] = state_dict.pop(f"{prefix}old")
        super()._load_from_state_dict(state_dict, prefix, *args)


def test_what_a_network_renames_as_it_loads_fits():
    model = nn.Sequential(Renaming(2, 2), nn.BatchNorm1d(2))
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("tracked")}
    state["0.old"] = state.pop("0.weight")
    check(model, state)
    with pytest.raises(CheckpointError, match=r"missing: 0\.weight, 0\.bias"):
        check(model, {k: v for k, v in state.items() if k != "0.bias"})


@pytest.mark.parametrize("hooks", [[], [{"type": "SetupCheckHook"}]])
def test_every_runner_has_it_once(tmp_path, hooks):
    runner = build_runner(config(tmp_path, custom_hooks=hooks))
    assert sum(isinstance(hook, SetupCheckHook) for hook in runner.hooks) == 1


@pytest.mark.parametrize("resume", [False, True])
def test_a_config_without_it_takes_no_wrong_checkpoint(tmp_path, resume):
    state = {f"layers.{k}": v for k, v in nn.Linear(4, 4).state_dict().items()}
    meta = {"iter": 1, "epoch": 0}
    checkpoint = {"state_dict": state, "meta": meta, "message_hub": {}}
    torch.save(checkpoint, tmp_path / "other.pth")
    cfg = config(tmp_path / "work_dir", load_from=str(tmp_path / "other.pth"), resume=resume)
    if not resume:
        cfg.test_cfg = {}
        cfg.test_dataloader, cfg.test_evaluator = cfg.val_dataloader, cfg.val_evaluator
    runner = build_runner(cfg)
    with pytest.raises(CheckpointError, match=r"other\.pth is of another network than the config"):
        runner.train() if resume else runner.test()


def test_a_training_begins_with_the_labels_of_validation(small_cfg, tmp_path):
    name_run(small_cfg, tmp_path)
    for split in ("train", "val"):
        dataset = small_cfg[f"{split}_dataloader"].dataset
        dataset.update(type="CityscapesDataset", pipeline=[IMAGE, LABEL, PACK])
    small_cfg.val_dataloader.dataset.seg_map_suffix = "_gtFine_labelIds.png"
    with pytest.raises(DataError, match=r"val/.*labelIds\.png gives the classes \[19, 20"):
        build_runner(small_cfg).train()


def test_a_training_begins_with_the_channels_of_its_images(small_cfg, folder, tmp_path):
    for path in (folder / "images").iterdir():
        cv2.imwrite(str(path.with_suffix(".png")), np.zeros((4, 4, 4), np.uint8))
    image = {**IMAGE, "color_type": "unchanged"}
    options = {"img_suffix": ".png", "pipeline": [image, LABEL, PACK]}
    name_run(small_cfg, tmp_path / "run")
    small_cfg.train_dataloader.dataset = {"type": "BaseSegDataset", **on(folder, **options)}
    small_cfg.model.decode_head.num_classes = 3
    with pytest.raises(ConfigError, match=r"images have 4 channels, .*mean has 3"):
        build_runner(small_cfg).train()


def test_samples_are_loaded_once_for_all_checks(folder):
    loaded, first = [], []

    def note(results):
        loaded.append(results["img_path"])
        return results

    check_samples(dataset(folder, pipeline=[IMAGE, note, LABEL, PACK]), head(), first.append)
    assert len(loaded) == len({*loaded}) == 4
    assert [one["data_samples"].img_path for one in first] == loaded[:1]


class Network(nn.Module):
    def __init__(self, name, num_classes):
        super().__init__()
        self.add_module(name, nn.Identity())
        getattr(self, name).num_classes = num_classes


def classes(*names):
    return BaseDataset(metainfo={"classes": names}, lazy_init=True)


@pytest.mark.parametrize("head", ["decode_head", "head", "cls_head"])
def test_the_head_of_each_task_must_fit_the_data(head):
    check_classes(Network(head, 2), classes("car", "bus"))
    with pytest.raises(ConfigError, match=rf"model.{head}.num_classes is 3, .*\('car', 'bus'\)"):
        check_classes(Network(head, 3), classes("car", "bus"))


def test_training_and_validation_have_the_same_classes():
    check_same_classes(classes("car", "bus"), classes("car", "bus"))
    check_same_classes(classes("car", "bus"), BaseDataset(lazy_init=True))
    with pytest.raises(ConfigError, match=r"\('car', 'bus'\), validation \('bus', 'car'\)"):
        check_same_classes(classes("car", "bus"), classes("bus", "car"))


@pytest.fixture
def folder(tmp_path):
    """Five images with labels of three classes and ignored pixels."""
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    for name in "abcde":
        cv2.imwrite(str(tmp_path / f"images/{name}.jpg"), np.zeros((4, 4, 3), np.uint8))
        write_label(tmp_path, [[0, 1, 2, 255]] * 4, name)
    return tmp_path


def write_label(folder, label, name="b", dtype=np.uint8):
    cv2.imwrite(str(folder / f"labels/{name}.png"), np.array(label, dtype))


def on(folder, *, pipeline=(IMAGE, LABEL, PACK), **options):
    return {
        "data_root": str(folder),
        "data_prefix": {"img_path": "images", "seg_map_path": "labels"},
        "metainfo": {"classes": ("crop", "weed", "soil")},
        "pipeline": list(pipeline),
        **options,
    }


def dataset(folder, **options):
    return BaseSegDataset(**on(folder, **options))


def head(num_classes=3, ignore_index=255):
    head = nn.Module()
    head.num_classes, head.ignore_index = num_classes, ignore_index
    return head


def random_numbers():
    return random.random(), np.random.rand(), torch.rand(()).item()


def test_the_random_numbers_after_a_check_of_labels_are_as_without_it(folder):
    def draws(results):
        random_numbers()
        return results

    found = []
    for checked in (False, True):
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)
        if checked:
            check_samples(dataset(folder, pipeline=[IMAGE, LABEL, draws, PACK]), head())
        found.append(random_numbers())
    assert found[0] == found[1]


@pytest.mark.parametrize("anything", [None, [1, 2], [{}]])
def test_other_datasets_pass(anything):
    assert check_samples(anything, head()) is None
    assert check_samples(anything, None) is None


@pytest.mark.parametrize(
    ("label", "num_classes", "value"),
    [
        (np.full((4, 4), 7, np.uint8), 3, r"\[7\]; expected 0 to 2 and 255"),
        (np.full((4, 4), 26_001, np.uint16), 3, r"\[145\]"),  # an instance id in a byte
        (np.full((4, 4), 26, np.uint8), 19, r"\[26\]; expected 0 to 18 and 255.*label ids"),
        (np.zeros((4, 4, 3), np.uint8), 3, "one channel of class indices, not a color mask"),
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [lambda one: one, lambda one: ConcatDataset([one] * 2), lambda one: RepeatDataset(one, 2)],
)
@pytest.mark.filterwarnings("ignore:Please pay attention")
def test_other_labels_are_refused(folder, label, num_classes, value, wrap):
    write_label(folder, label, dtype=label.dtype)
    with pytest.raises(DataError, match=rf"b\.png gives .*{value}"):
        check_samples(wrap(dataset(folder)), head(num_classes))


@pytest.mark.filterwarnings("ignore:Please pay attention")
def test_the_dataset_in_a_wrapper_is_named(folder):
    wrapped = ConcatDataset([dataset(folder)] * 2)
    network = nn.Module()
    network.decode_head = head(7)
    with pytest.raises(ConfigError, match=r"num_classes is 7, but BaseSegDataset has"):
        check_classes(network, wrapped)


def test_an_empty_dataset(folder):
    with pytest.raises(DataError, match=r"no samples.*img_suffix"):
        check_samples(dataset(folder, img_suffix=".tif", serialize_data=False), head())


def remapped(results):
    results["gt_seg_map"][results["gt_seg_map"] == 7] = 1
    return results


@pytest.mark.parametrize(
    ("value", "options", "num_classes"),
    [
        (3, {"reduce_zero_label": True}, 3),
        (7, {"pipeline": (IMAGE, LABEL, remapped, PACK)}, 3),
        (1, {"indices": [1]}, 1),  # one output, by its sign
    ],
)
def test_labels_count_as_the_pipeline_gives_them(folder, value, options, num_classes):
    write_label(folder, np.full((4, 4), value))
    assert check_samples(dataset(folder, **options), head(num_classes)) is None


def test_a_corrupted_label_is_left_to_the_loader(folder):
    (folder / "labels/b.png").write_bytes(b"corrupted")
    assert check_samples(dataset(folder), head()) is None


@pytest.mark.parametrize("dtype", [np.uint16, bool])
def test_labels_in_another_format_are_not_corrupted(folder, dtype):
    label = np.ones((4, 4), dtype)
    Image.fromarray(label).save(folder / "labels/a.png")
    load = {"type": "mmseg.LoadCheckedAnnotations", "num_classes": 3}
    with pytest.raises(DataError, match=r"a\.png .*dataset_converters/labels\.py") as error:
        check_samples(dataset(folder, pipeline=[IMAGE, load, PACK]), head())
    assert not isinstance(error.value, CorruptedFileError)  # which a training may replace


def test_labels_of_test_time_augmentation(folder):
    write_label(folder, np.full((4, 4), 7))
    flips = [{"type": "mmseg.RandomFlip", "prob": prob} for prob in (0.0, 1.0)]
    tta = {"type": "mmseg.TestTimeAug", "transforms": [flips, [LABEL], [PACK]]}
    with pytest.raises(DataError, match=r"\[7\]"):
        check_samples(dataset(folder, pipeline=[IMAGE, tta]), head())


@pytest.mark.parametrize("kept", [("state_dict",), ("meta", "state_dict"), None])
def test_weights_only_are_not_resumed(tmp_path, kept):
    build_runner(config(tmp_path / "first", train_cfg__max_iters=2)).train()
    checkpoint = torch.load(tmp_path / "first" / "iter_2.pth", weights_only=True)
    weights = {key: checkpoint[key] for key in kept} if kept else checkpoint["state_dict"]
    path = tmp_path / "iter_9.pth"
    torch.save(weights, path, _use_new_zipfile_serialization=kept is not None)
    options = {"resume": True, "train_cfg__max_iters": 4}
    given = config(tmp_path / "given", load_from=str(path), **options)
    found = config(tmp_path / "found", work_dir=str(tmp_path), **options)
    for cfg in (given, found) if kept else (given,):
        with pytest.raises(CheckpointError, match=r"iter_9\.pth holds weights only.*load_from"):
            build_runner(cfg).train()


@pytest.mark.parametrize("part", ["optimizer", "param_scheduler"])
def test_a_checkpoint_without_a_part_is_resumed_with_a_warning(tmp_path, capfd, part):
    options = {"train_cfg__max_iters": 2, f"default_hooks__checkpoint__save_{part}": False}
    build_runner(config(tmp_path / "first", **options)).train()
    cfg = config(tmp_path / "on", load_from=str(tmp_path / "first" / "iter_2.pth"), resume=True)
    cfg.log_level = "WARNING"
    runner = build_runner(cfg)
    runner.train()
    assert runner.iter == 12
    name = {"optimizer": "optimizer", "param_scheduler": "schedule"}[part]
    assert f"iter_2.pth has no state of the {name}" in "".join(capfd.readouterr())
