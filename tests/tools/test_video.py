"""Train, resume, test and image a video config through the tools, on tiny moving shapes."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")
pytest.importorskip("av", reason="pip install 'glore_seg[video]'")

from projects.synthetic_data.moving_shapes import make_moving_shapes

CONFIGS = Path(__file__).parents[2] / "configs" / "video"


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """Six tiny videos to train on and four to validate, one of each split unreadable."""
    root = tmp_path_factory.mktemp("moving_shapes") / "data"
    make_moving_shapes(root, num_train=6, num_val=4, num_frames=16, progress=False)
    (root / "videos/train/left_000001.mp4").write_bytes(b"")
    (root / "videos/val/up_000003.mp4").unlink()
    return root


@pytest.fixture(scope="module")
def options(shapes):
    splits = ("train", "val", "test")
    return (
        "model.backbone.base_channels=4",
        "model.cls_head.in_channels=128",
        "train_cfg.max_iters=2",
        "train_cfg.val_interval=2",
        "default_hooks.checkpoint.interval=2",
        *(f"{s}_dataloader.dataset.data_root={shapes}" for s in splits),
        *(f"{s}_dataloader.dataset.metainfo.classes={shapes}/lists/classes.txt" for s in splits),
        *(f"{s}_dataloader.batch_size=2" for s in splits),
        *(f"{s}_dataloader.num_workers=0" for s in splits),
        *(f"{s}_dataloader.persistent_workers=False" for s in splits),
    )


@pytest.fixture(scope="module")
def work_dir(call, options, tmp_path_factory):
    """Two iterations, then two more from the checkpoint."""
    folder = tmp_path_factory.mktemp("video") / "work_dir"
    config = CONFIGS / "r26_glore_moving-shapes.py"
    call("train", config, work_dir=folder, cfg_options=options)
    more = tuple(o.replace("max_iters=2", "max_iters=4") for o in options)
    call("train", config, "--resume", "--amp", "--channels-last", work_dir=folder, cfg_options=more)
    return folder


@pytest.fixture
def run_test(call, options, work_dir):
    def run_test(*flags, name="r26_glore_moving-shapes", more=()):
        folder = work_dir.parent / f"test_{name}_{len(more)}_{len(flags)}"
        arguments = (CONFIGS / f"{name}.py", work_dir / "iter_4.pth", *flags)
        return call("test", *arguments, work_dir=folder, cfg_options=(*options, *more))

    return run_test


@pytest.mark.slow
def test_training_goes_on_and_names_unreadable_videos(work_dir):
    assert torch.load(work_dir / "iter_4.pth", weights_only=True)["meta"]["iter"] == 4
    log = "".join(path.read_text() for path in work_dir.rglob("*.log"))
    assert "resumed epoch: 0, iter: 2" in log
    assert re.search(r"left_000001\.mp4 cannot be opened .*0 bytes\).*; another video", log)
    assert re.search(r"up_000003\.mp4 is missing.*; it counts as an error", log)


@pytest.mark.slow
def test_one_clip_ten_clips_and_one_frame(run_test):
    scores = [
        run_test(),
        run_test(more=("test_dataloader.dataset.pipeline.1.num_clips=10",)),
        run_test(name="r26_glore_moving-shapes-one-frame"),
    ]
    for score in scores:
        assert score["acc/unreadable"] == 1
        assert score["acc/top1"] <= 0.75


@pytest.mark.slow
def test_painted_predictions_in_bfloat16(run_test, tmp_path):
    scores = run_test("--amp", "--channels-last", "--show-dir", tmp_path)
    assert scores["acc/unreadable"] == 1
    painted = sorted(path.stem for path in tmp_path.rglob("vis_image/*"))
    assert painted == ["down_000002_0", "left_000001_0", "right_000000_0", "up_000003_0"]


@pytest.mark.slow
def test_projections_of_a_clip(load_tool, options, shapes, work_dir, tmp_path, capsys):
    def visualize(*arguments):
        load_tool("visualize")(
            [
                *("projections", str(CONFIGS / "r26_glore_moving-shapes.py")),
                *(str(work_dir / "iter_4.pth"), "--out", str(tmp_path / "clip.png")),
                *arguments,
                *("--cfg-options", *options),
            ]
        )

    visualize("--images", str(shapes / "videos/val/left_000001.mp4"), "--nodes", "3", "0")
    height, width = np.array(Image.open(tmp_path / "clip.png")).shape[:2]
    assert width == pytest.approx((8 * 1.3 + 0.9) * 120, abs=1)
    visualize("--images", "1", "--nodes", "3", "0", "--unit", "backbone.conv3.B01_extra", "--ov")
    assert np.array(Image.open(tmp_path / "clip.png")).shape[:2] == (height, width)
    for arguments, message in (
        (("--images", "0", "1"), "2 videos for one figure"),
        (("--num-images", "2"), "2 videos for one figure"),
        (("--images", "up"), "up_000003.mp4 is missing: .*; give another video"),
        (("--images", str(shapes)), "0 files of val begin with it"),
        (("--images", "none"), "'none' is not a file, and 0 files of val"),
        (("--unit", "neck"), "no unit 'neck'; expected one of backbone.conv3.B0"),
    ):
        with pytest.raises(ValueError, match=message):
            visualize(*arguments, "--overwrite")
