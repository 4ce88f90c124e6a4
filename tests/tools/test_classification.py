"""train.py, test.py and visualize.py on a classifier of mmpretrain's."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from glore_seg.apis import load_config
from glore_seg.engine import build_model
from glore_seg.export import PROPERTY
from glore_seg.layers import GloReUnit
from glore_seg.visualization import read_scalars
from projects.synthetic_data.object_crops import make_object_crops
from tests.fixtures import STREET_SCENES

pytest.importorskip("mmpretrain", reason="the extra cls is not installed")

CONFIG = STREET_SCENES.parent / "classification" / "resnet18_glore-0-1_street-crops.py"
CLASSES = ("car", "person", "traffic sign")
SIZE = 48


@pytest.fixture(scope="session")
def crops(street_scenes, tmp_path_factory):
    """12 crops to train and 6 to validate, of three classes; read only."""
    root = tmp_path_factory.mktemp("crops") / "data"
    options = {"classes": CLASSES, "size": SIZE, "min_side": 4, "num_train": 4, "num_val": 2}
    make_object_crops(street_scenes, root, **options, progress=False)
    return root


@pytest.fixture(scope="session")
def classifier(crops, tmp_path_factory):
    """The small config made smaller yet: two epochs of three iterations."""
    cfg = load_config(str(CONFIG))
    cfg._cfg_dict.pop("work_dir")
    for split in ("train", "val", "test"):
        cfg[f"{split}_dataloader"].update(batch_size=4)
        cfg[f"{split}_dataloader"].dataset.data_root = str(crops)
    cfg.merge_from_dict(
        {
            "model.backbone.width": 0.125,
            "model.backbone.unit_cfg": {"num_nodes": 8, "num_states": 8},
            "model.head.in_channels": 64,
            "model.head.num_classes": 3,
            "train_cfg.max_epochs": 2,
            "param_scheduler.T_max": 2,
            "default_hooks.logger.interval": 1,
            "default_hooks.checkpoint.max_keep_ckpts": -1,
            "randomness.seed": 0,
            "log_level": "ERROR",
        }
    )
    path = tmp_path_factory.mktemp("config") / "classifier.py"
    cfg.dump(path)
    return str(path)


@pytest.fixture(scope="session")
def trained_classifier(call, classifier, tmp_path_factory):
    """Work folder of its training; read only."""
    work_dir = tmp_path_factory.mktemp("classifier") / "work_dir"
    call("train", classifier, work_dir=work_dir)
    return work_dir


def test_the_config_is_figure_7s_network():
    with torch.device("meta"):
        plain, unit = (
            build_model(load_config(str(CONFIG.with_name(f"resnet18{name}_street-crops.py"))))
            for name in ("", "_glore-0-1")
        )
    assert not any(isinstance(m, GloReUnit) for m in plain.modules())
    ((name, found),) = ((n, m) for n, m in unit.named_modules() if isinstance(m, GloReUnit))
    # After the first of Res4's two blocks.
    assert (name, found.in_channels, found.num_nodes) == ("backbone.conv4.B01_extra", 256, 128)


def test_trains_and_validates(trained_classifier):
    names = {path.name for path in trained_classifier.glob("*.pth")}
    (best,) = (name for name in names if name.startswith("best_accuracy_top1_epoch_"))
    assert names == {"epoch_1.pth", "epoch_2.pth", best}
    scalars = read_scalars(trained_classifier)
    assert len(scalars["loss"]) == 6
    # Of six images, a whole number is right.
    right = [value * 6 / 100 for _, value in scalars["accuracy/top1"]]
    assert right == pytest.approx([round(value) for value in right], abs=1e-3)
    assert len(right) == 2


@pytest.mark.slow
def test_tests_as_validation_scored(call, classifier, trained_classifier, tmp_path):
    checkpoint = trained_classifier / "epoch_2.pth"
    expected = read_scalars(trained_classifier)["accuracy/top1"][-1][1]

    def run(name, *options, config=classifier):
        return call("test", config, checkpoint, *options, work_dir=tmp_path / name)

    assert run("plain")["accuracy/top1"] == pytest.approx(expected)
    painted = tmp_path / "painted"
    scores = run("fused", "--fuse-conv-bn", "--channels-last", "--show-dir", painted)
    assert scores["accuracy/top1"] == pytest.approx(expected)
    assert len(list(painted.rglob("*.png"))) == 6
    flips = ", ".join(f"dict(type='RandomFlip', prob={prob})" for prob in (1.0, 0.0))
    (tmp_path / "tta.py").write_text(
        f"_base_ = {classifier!r}\ntta_model = dict(type='AverageClsScoreTTA')\n"
        "tta_pipeline = [dict(type='LoadImageFromFile'), dict(type='TestTimeAug', "
        f"transforms=[[{flips}], [dict(type='PackInputs')]])]\n"
    )
    scores = run("tta", "--tta", config=tmp_path / "tta.py")
    assert 0 <= scores["accuracy/top1"] <= 100


@pytest.mark.slow
@pytest.mark.usefixtures("export_support")
def test_exports(load_tool, classifier, trained_classifier, tmp_path, capsys):
    onnx = pytest.importorskip("onnx", reason="pip install 'glore_seg[export]'")
    pytest.importorskip("onnxscript")
    checkpoint, out = str(trained_classifier / "epoch_2.pth"), tmp_path / "classifier.onnx"
    load_tool("export")([classifier, checkpoint, "--out", str(out)])
    printed = capsys.readouterr().out
    assert printed.count("100.0000% | ok |") == 3
    assert f"wrote {out} (" in printed
    # The folders may be elsewhere: the checkpoint names the classes.
    (contract,) = (p.value for p in onnx.load(out).metadata_props if p.key == PROPERTY)
    assert json.loads(contract)["classes"] == list(CLASSES)
    assert "classification, 3 classes" in printed


def test_other_folders_are_refused(call, classifier, crops, tmp_path):
    other = tmp_path / "other"
    for old, new in zip(CLASSES, ("bus", *CLASSES[1:]), strict=True):
        shutil.copytree(crops / "val" / old, other / "val" / new)
    option = f"val_dataloader.dataset.data_root={other}"
    with pytest.raises(ValueError, match=r"training has the classes \('car', .* \('bus', "):
        call("train", classifier, work_dir=tmp_path, cfg_options=(option,))


def test_projections_lie_over_what_the_network_sees(
    load_tool, classifier, trained_classifier, crops, tmp_path
):
    main = load_tool("visualize")
    checkpoint = str(trained_classifier / "epoch_2.pth")
    arguments = ["projections", classifier, checkpoint, "--out"]
    main([*arguments, str(tmp_path / "split.png"), "--num-images", "2", "--nodes", "0", "5"])
    assert np.array(Image.open(tmp_path / "split.png")).shape[1] == pytest.approx(3 * 312, abs=1)
    file = str(next((crops / "val" / "car").iterdir()))
    unit = ["--unit", "backbone.conv4.B01_extra"]
    main([*arguments, str(tmp_path / "file.png"), "--images", file, *unit])
    assert np.array(Image.open(tmp_path / "file.png")).shape[1] == pytest.approx(5 * 312, abs=1)
