"""train.py and test.py on street scenes: options, resuming, and what they refuse."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from glore_seg.engine import build_runner, load_config
from tests.configs.shrinking import name_run

REPOSITORY = Path(__file__).parents[2]
CONFIG = """
_base_ = "{repository}/configs/fcn_r18_glore_street-scenes.py"
model = dict(
    data_preprocessor=dict(size=(64, 128)),
    backbone=dict(base_channels=8, stem_channels=8),
    decode_head=dict(in_channels=64, channels=16, num_nodes=4, num_states=8),
)
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False, dataset=dict(data_root="{data_root}")
)
val_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root="{data_root}")
)
test_dataloader = val_dataloader
max_iters = 4
train_cfg = dict(max_iters=max_iters, val_interval=2)
param_scheduler = [
    dict(type="PolyLR", eta_min=0.0, power=0.9, begin=0, end=max_iters, by_epoch=False)
]
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=2))
randomness = dict(seed=0)
"""


def named(name):
    """A run of its own name, since mmengine keeps one visualizer a name."""
    return ["--cfg-options", f"visualizer.name={name}", f"experiment_name={name}"]


@pytest.fixture(scope="module")
def config(tmp_path_factory, street_scenes):
    path = tmp_path_factory.mktemp("config") / "small.py"
    path.write_text(CONFIG.format(repository=REPOSITORY, data_root=street_scenes))
    return str(path)


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory, config, load_tool):
    """An undisturbed training of four iterations in bfloat16."""
    folder = tmp_path_factory.mktemp("trained") / "work_dir"
    load_tool("train")([config, "--work-dir", str(folder), "--amp", *named("trained")])
    return folder


def test_training_leaves_checkpoints_logs_and_curves(work_dir):
    assert {p.name for p in work_dir.glob("iter_*.pth")} == {"iter_2.pth", "iter_4.pth"}
    assert len(list(work_dir.glob("best_mIoU_iter_*.pth"))) == 1
    assert list(work_dir.rglob("events.out.tfevents.*"))
    assert list(work_dir.glob("*/vis_data/scalars.json"))
    assert "BFloat16OptimWrapper" in (work_dir / "small.py").read_text()


def test_resume_goes_on_with_everything(work_dir, config, load_tool, tmp_path):
    resumed = tmp_path / "resumed"
    resumed.mkdir()
    shutil.copy(work_dir / "iter_2.pth", resumed)
    (resumed / "last_checkpoint").write_text(str(resumed / "iter_2.pth"))
    saved = torch.load(resumed / "iter_2.pth", weights_only=True)

    cfg = name_run(load_config(config, cfg_options={"resume": True}), resumed)
    runner = build_runner(cfg)
    seen = {}

    class Stop(Exception):
        pass

    def look():
        # The state that training starts from, before its first step.
        seen.update(
            iter=runner.iter,
            optimizer=runner.optim_wrapper.state_dict(),
            schedule=[s.state_dict() for s in runner.param_schedulers],
            lr=runner.optim_wrapper.get_lr()["lr"],
            best=runner.message_hub.get_info("best_score"),
        )
        raise Stop

    original = runner.load_or_resume

    def load_then_look():
        original()
        look()

    runner.load_or_resume = load_then_look
    with pytest.raises(Stop):
        runner.train()
    assert seen["iter"] == 2
    # mmengine's PolyLR reaches the end of its range at the last iteration, number 3.
    assert seen["lr"] == pytest.approx([0.05 * (1 - 2 / 3) ** 0.9])
    assert seen["schedule"] == saved["param_schedulers"]
    assert seen["best"] == saved["message_hub"]["runtime_info"]["best_score"]
    momentum = saved["optimizer"]["state"]
    assert len(momentum) > 10
    for index, state in seen["optimizer"]["state"].items():
        assert torch.equal(state["momentum_buffer"], momentum[index]["momentum_buffer"])

    arguments = [config, "--work-dir", str(resumed), "--resume", *named("resumed")]
    load_tool("train")(arguments)
    end, undisturbed = (
        torch.load(folder / "iter_4.pth", weights_only=True) for folder in (resumed, work_dir)
    )
    assert end["meta"]["iter"] == undisturbed["meta"]["iter"] == 4
    assert end["param_schedulers"] == undisturbed["param_schedulers"]


def test_fused_and_plain_score_alike(work_dir, config, load_tool, tmp_path):
    scores = [
        load_tool("test")(
            [config, str(work_dir / "iter_4.pth"), "--work-dir", str(tmp_path / n), *o, *named(n)]
        )
        for n, o in (("plain", []), ("fused", ["--fuse-conv-bn"]))
    ]
    assert scores[0]["mIoU"] == pytest.approx(scores[1]["mIoU"], abs=0.01)
    assert 0 < scores[0]["aAcc"] <= 100


def test_tta_and_pictures(work_dir, config, load_tool, tmp_path):
    options = ["--tta", "--show-dir", str(tmp_path / "shown"), "--work-dir", str(tmp_path / "w")]
    scores = load_tool("test")([config, str(work_dir / "iter_4.pth"), *options, *named("tta")])
    assert 0 <= scores["mIoU"] <= 100
    assert len(list((tmp_path / "shown").rglob("vis_image/*.png"))) == 2


def test_format_only_needs_no_labels(work_dir, config, load_tool, street_scenes, tmp_path):
    arguments = [config, str(work_dir / "iter_4.pth"), "--format-only", "--out"]
    options = [*named("format"), "test_dataloader.dataset.data_prefix.img_path=leftImg8bit/test"]
    options += ["test_dataloader.dataset.data_prefix.seg_map_path=gtFine/test"]
    out = tmp_path / "labels"
    scores = load_tool("test")([*arguments, str(out), "--work-dir", str(tmp_path / "w"), *options])
    assert scores == {}
    pictures = sorted((street_scenes / "leftImg8bit/test").rglob("*.png"))
    assert [p.name for p in sorted(out.iterdir())] == [p.name for p in pictures]
    label = np.array(Image.open(next(out.iterdir())))
    assert label.shape == (64, 128)
    assert label.max() < 19


def test_format_only_needs_a_folder(load_tool, capsys):
    with pytest.raises(SystemExit):
        load_tool("test")(["c.py", "w.pth", "--format-only"])
    assert "--format-only needs --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("model.decode_head.num_units=2", r"another network than the config.*decode_head.units.1"),
        ("model.backbone.base_channels=16", "of another shape"),
        ("model.decode_head.num_classes=5", "of another shape: decode_head.conv_seg.weight"),
        ("modl.x=1", "did you mean 'model'"),
    ],
)
def test_what_test_refuses(option, message, work_dir, config, load_tool, tmp_path):
    name = option.split("=")[0].replace(".", "_")
    with pytest.raises(ValueError, match=message):
        load_tool("test")(
            [
                config,
                str(work_dir / "iter_4.pth"),
                "--work-dir",
                str(tmp_path),
                *named(name),
                option,
            ]
        )


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ("model.decode_head.num_classes=5", ValueError, "num_classes=5, the data set .*19 classes"),
        ("model.decode_head.num_unit=2", TypeError, "num_unit"),
        ("train_dataloader.dataset.data_root=/nowhere", FileNotFoundError, "/nowhere/leftImg8bit"),
    ],
)
def test_what_train_refuses(option, error, message, config, load_tool, tmp_path):
    name = "train_" + option.split("=")[0].replace(".", "_")
    with pytest.raises(error, match=message):
        load_tool("train")([config, "--work-dir", str(tmp_path), *named(name), option])
