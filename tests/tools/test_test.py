import shutil

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import labels
from mmengine.config import Config
from PIL import Image

from glore_seg.errors import GloReSegError
from glore_seg.visualization import read_scalars
from tests.leftovers import leave_temporary

UNLABELLED = (
    "test_dataloader.dataset.data_prefix.img_path=leftImg8bit/test",
    "test_dataloader.dataset.data_prefix.seg_map_path=gtFine/test",
)


@pytest.fixture
def test(call, small_config, trained, tmp_path):
    """Runs test.py on the trained checkpoint."""

    def run(*options, config=small_config, cfg_options=()):
        checkpoint = trained / "iter_4.pth"
        folder = tmp_path / f"run_{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return call("test", config, checkpoint, *options, work_dir=folder, cfg_options=cfg_options)

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def images(root, split):
    return sorted(path.name for path in (root / "leftImg8bit" / split).rglob("*.png"))


def test_scores_equal_the_trainings_and_out_has_what_was_scored(
    test, trained, street_scenes, tmp_path
):
    leave_temporary(tmp_path / "labels" / "a.png")  # of a killed run
    scores = test("--out", tmp_path / "labels")
    logged = read_scalars(trained)
    assert scores["mIoU"] == pytest.approx(dict(logged["mIoU"])[4], abs=0.01)
    assert names(tmp_path / "labels") == images(street_scenes, "val")
    # The score again, from the written files.
    predicted, truth = [], []
    for path in (street_scenes / "gtFine/val").rglob("*_labelIds.png"):
        name = path.name.replace("gtFine_labelIds", "leftImg8bit")
        truth.append(np.array(Image.open(path)))
        predicted.append(np.array(Image.open(tmp_path / "labels" / name)))
    predicted, truth = np.stack(predicted), np.stack(truth)
    scored = [label.id for label in labels if not label.ignoreInEval]
    predicted[~np.isin(truth, scored)] = 0
    ious = [
        ((predicted == c) & (truth == c)).sum() / area
        for c in scored
        if (area := ((predicted == c) | (truth == c)).sum())
    ]
    assert scores["mIoU"] == pytest.approx(100 * np.mean(ious), abs=0.01)


def test_fusing_batch_norm_and_channels_last_change_no_score(test, tmp_path):
    plain = test("--out", tmp_path / "plain")
    fused = test("--fuse-conv-bn", "--channels-last", "--out", tmp_path / "fused")
    assert plain.keys() == fused.keys()
    assert fused["mIoU"] == pytest.approx(plain["mIoU"], abs=0.01)
    for name in names(tmp_path / "plain"):
        a, b = (np.array(Image.open(tmp_path / run / name)) for run in ("plain", "fused"))
        assert (a == b).mean() > 0.999


@pytest.mark.slow
def test_the_config_of_a_training_stays(call, small_config, trained, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    (config,) = tmp_path.glob("*.py")
    before = config.read_bytes()
    call("test", small_config, trained / "iter_4.pth", "--tta", work_dir=tmp_path)
    assert config.read_bytes() == before


@pytest.mark.parametrize("options", [(), ("--tta",)])
def test_format_only_predicts_without_labels(test, street_scenes, tmp_path, options):
    out = tmp_path / "labels"
    scores = test("--format-only", "--out", out, *options, cfg_options=UNLABELLED)
    assert scores == {}
    assert names(out) == images(street_scenes, "test")
    label = np.array(Image.open(next(out.iterdir())))
    assert label.shape == (64, 128)
    assert not np.isin(label, [0, 1, 2, 3, 4, 5, 6, 9, 10, 29, 30]).any()  # no train ids
    assert label.max() < 34


def test_format_only_without_a_folder_is_rejected(test, capsys):
    with pytest.raises(SystemExit) as exit_:
        test("--format-only")
    assert exit_.value.code == 2
    assert "--format-only needs --out" in capsys.readouterr().err


def test_show_dir_gets_drawn_predictions(test, street_scenes, tmp_path):
    nowhere = f"train_dataloader.dataset.data_root={tmp_path / 'nowhere'}"  # it is not needed
    test("--show-dir", tmp_path / "drawn", cfg_options=(nowhere,))
    files = sorted((tmp_path / "drawn").rglob("*.png"))
    assert len(files) == len(images(street_scenes, "val"))
    for file in files:
        image = np.array(Image.open(file))
        assert image.shape[0] == 64  # label and prediction side by side
        assert image.shape[1] % 128 == 0
        assert image.std() > 1


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("model.decode_head.num_units=2", r"iter_4\.pth.*decode_head\.units\.1\."),
        ("model.decode_head.num_units=0", r"decode_head\.units\.0\."),
        ("model.backbone.base_channels=16", "shape"),
        ("model.decode_head.num_classes=5", r"decode_head\.conv_seg\.weight \(19, 128, 1, 1\)"),
        ("test_dataloader.dataset.metainfo.classes=(road,car)", "num_classes is 19.* 2 classes"),
    ],
)
def test_a_checkpoint_of_another_network_and_other_classes_are_rejected(test, option, message):
    with pytest.raises(GloReSegError, match=message):
        test(cfg_options=(option,))


@pytest.mark.slow
def test_amp_tests_under_autocast_and_changes_scores_by_rounding_alone(test, tmp_path):
    plain, half = test(), test("--amp")
    configs = [Config.fromfile(next((tmp_path / f"run_{n}").glob("*.py"))) for n in (0, 1)]
    assert [cfg.test_cfg.get("fp16", False) for cfg in configs] == [False, True]
    assert half["mIoU"] == pytest.approx(plain["mIoU"], abs=0.5)
