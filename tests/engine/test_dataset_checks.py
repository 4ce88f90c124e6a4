"""Labels and folders are looked at before training: what is told, and that valid runs are not."""

import numpy as np
import pytest
from PIL import Image

from glore_seg.engine import build_runner
from glore_seg.engine.dataset_checks import check_files
from glore_seg.errors import DataError
from glore_seg.utils.image_io import read_label_map
from tests.configs.shrinking import name_run
from tests.datasets.label_folders import IMAGE, LABEL, PACK, write


@pytest.fixture
def told(monkeypatch):
    """Warnings of the checks and of unseen classes."""
    texts = []
    for module in ("engine.dataset_checks", "evaluation.metrics.unseen_classes"):
        name = f"glore_seg.{module}.print_log"
        monkeypatch.setattr(name, lambda text, **options: texts.append(text))
    return texts


@pytest.fixture
def own_data(small_cfg, tmp_path):
    """Gives the config of a training of one iteration on a folder."""

    def make(root, num_classes, **dataset):
        dataset = {
            "type": "BaseSegDataset",
            "data_root": str(root),
            "data_prefix": {"img_path": "images", "seg_map_path": "labels"},
            "pipeline": [IMAGE, LABEL, PACK],
            **dataset,
        }
        for split in ("train", "val", "test"):
            small_cfg[f"{split}_dataloader"].dataset = dataset
            small_cfg[f"{split}_dataloader"].batch_size = 2
        small_cfg.model.data_preprocessor.size = (32, 32)
        small_cfg.model.decode_head.num_classes = num_classes
        small_cfg.val_evaluator = small_cfg.test_evaluator = {"type": "IoUMetric"}
        small_cfg.train_cfg.update(max_iters=1, val_interval=1)
        small_cfg.default_hooks.checkpoint.update(interval=1, save_best=None)
        return name_run(small_cfg, tmp_path / "work_dir")

    return make


def binary(root, make):
    write(root, [[0, 1, 1, 0, 0]] * 3, shape=(32, 32))
    return make(root, 2, metainfo={"classes": ("field", "road")})


def voc(root, make):
    """Palette images and a list of names."""
    write(root, [[*range(21), 255]] * 3, shape=(32, 32))
    for path in (root / "labels").iterdir():
        label = Image.open(path).convert("P")
        label.putpalette(np.random.default_rng(0).integers(0, 256, 768).tolist())
        label.save(path)
    (root / "train.txt").write_text("000\n001\n")
    load = {"type": "LoadCheckedAnnotations", "num_classes": 21}
    steps = [IMAGE, load, PACK]
    return make(root, 21, type="PascalVOCDataset", ann_file="train.txt", pipeline=steps)


def ade20k(root, make):
    write(root, [[1, 1, *range(151)]] * 3, shape=(32, 32))
    return make(root, 150, type="ADE20KDataset")


@pytest.mark.slow
@pytest.mark.parametrize(("data", "first_id"), [(binary, 0), (voc, 0), (ade20k, 1)])
def test_valid_runs(data, first_id, own_data, told, load_tool, tmp_path):
    cfg = data(tmp_path / "data", own_data)
    build_runner(cfg).train()
    assert told == []
    cfg.dump(str(tmp_path / "cfg.py"))
    weights, image = tmp_path / "work_dir/iter_1.pth", tmp_path / "data/images/000.jpg"
    name = f"visualizer.name={tmp_path}"
    arguments = (tmp_path / "cfg.py", weights, "--out", tmp_path / "tested", "--cfg-options", name)
    load_tool("test")(list(map(str, arguments)))
    tested = read_label_map(tmp_path / "tested/000.png")
    assert told == []
    for label_format, shift in (("dataset", 0), ("train", first_id)):
        out = tmp_path / label_format
        options = ("--out", out, "--label-format", label_format, "--device", "cpu")
        load_tool("predict")(list(map(str, (weights, image, *options))))
        np.testing.assert_array_equal(read_label_map(out / "labels/000.png") + shift, tested)


def test_a_training_on_nothing_is_refused(own_data, told, tmp_path):
    write(tmp_path / "data", [[0, 255]] * 3)
    cfg = own_data(tmp_path / "data", 2, metainfo={"classes": ("field", "road")})
    with pytest.raises(DataError, match=r"all 3 label maps of training hold 0 .*--map 255=1"):
        build_runner(cfg).train()
    assert (tmp_path / "work_dir/label_counts.json").is_file()


@pytest.mark.slow
def test_what_is_doubtful_is_told_and_can_be_turned_off(own_data, told, tmp_path):
    write(tmp_path / "data", [[0, 1]] * 4, (".jpg", ".png"), shape=(32, 32))
    cfg = own_data(tmp_path / "data", 3, metainfo={"classes": ("field", "road", "sea")})
    build_runner(cfg).train()
    expected = ["2 of 4", "maps of training", "2 of 4", "maps of validation", "ground truth: sea"]
    assert [value for value, text in zip(expected, told, strict=True) if value in text] == expected
    told.clear()
    name_run(cfg, tmp_path / "again")
    build_runner(cfg, count_labels=False).train()
    assert not any("label maps of" in text for text in told)
    assert not (tmp_path / "again/label_counts.json").exists()


def test_other_ranks_get_the_error_of_the_first(monkeypatch):
    def broadcast(found):
        found[0] = DataError("255")

    monkeypatch.setattr("glore_seg.engine.dataset_checks.is_main_process", lambda: False)
    monkeypatch.setattr("glore_seg.engine.dataset_checks.broadcast_object_list", broadcast)
    with pytest.raises(DataError, match="255"):
        check_files(None, "training", classes="ab", ignored=[255], cache=None)
