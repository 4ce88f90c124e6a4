"""The video configs have the released recipe, and train, validate and test on small videos."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.optim import build_optim_wrapper

from glore_seg.apis import load_config
from glore_seg.engine import build_dataset, build_model, build_runner
from glore_seg.layers import GloReUnit, NonLocalBlock
from tests.configs.shrinking import name_run, shrink_video_sizes

pytest.importorskip("mmaction", reason="pip install --no-deps mmaction2")
pytest.importorskip("av", reason="pip install 'glore_seg[video]'")

from projects.synthetic_data.moving_shapes import write_video

CONFIGS = Path(__file__).parents[2] / "configs" / "video"
NAMES = sorted(path.stem for path in CONFIGS.glob("*_kinetics400*.py"))
MAIN = "r50_glore_kinetics400"
SMALL = {"model.backbone.base_channels": 4, "model.cls_head.in_channels": 128}
SPLITS = ("train", "val", "test")


def load(name=MAIN, **options):
    dotted = {key.replace("__", "."): value for key, value in options.items()}
    return load_config(str(CONFIGS / f"{name}.py"), cfg_options={**SMALL, **dotted})


@pytest.fixture(scope="module")
def kinetics(tmp_path_factory):
    """Two videos, long and too short for a clip of 8 frames at interval 8, and their frames."""
    root = tmp_path_factory.mktemp("kinetics400")
    rng = np.random.default_rng(0)
    lists = {"videos": [], "rawframes": []}
    for label, length in enumerate((90, 12)):
        frames = rng.integers(0, 256, (length, 12, 16, 3), np.uint8)
        frames = [cv2.resize(frame, (64, 48)) for frame in frames]
        write_video(root / f"{label}.mp4", frames)
        lists["videos"].append(f"{label}.mp4 {label}")
        (root / str(label)).mkdir()
        for number, frame in enumerate(frames, start=1):
            cv2.imwrite(str(root / str(label) / f"img_{number:05}.jpg"), frame[..., ::-1])
        lists["rawframes"].append(f"{label} {length} {label}")
    for kind, lines in lists.items():
        (root / f"{kind}.txt").write_text("\n".join(lines) + "\n")
    return root


def shrink(cfg, root, work_dir):
    """Small images, two videos, one iteration; networks a sixteenth as wide."""
    shrink_video_sizes(cfg)
    for split in SPLITS:
        dataset = cfg[f"{split}_dataloader"].dataset
        raw = dataset.type == "CheckedRawframeDataset"
        dataset.ann_file = str(root / ("rawframes.txt" if raw else "videos.txt"))
        dataset.data_prefix = {"img" if raw else "video": str(root)}
    cfg.train_cfg.update(max_iters=1, val_interval=1)
    cfg.default_hooks.checkpoint.update(interval=-1, save_last=False, save_best=None)
    return name_run(cfg, work_dir)


@pytest.mark.parametrize(
    ("name", "depth", "kind"),
    [
        ("r50_glore_kinetics400", 50, GloReUnit),
        ("r101_glore_kinetics400", 101, GloReUnit),
        ("r50_nonlocal_kinetics400", 50, NonLocalBlock),
        ("r101_nonlocal_kinetics400", 101, NonLocalBlock),
    ],
)
def test_table_5_in_the_built_networks(name, depth, kind):
    model = build_model(load(name))
    assert len(list(model.backbone.conv4.children())) - 3 == {50: 6, 101: 23}[depth]
    assert [type(unit) for unit in model.backbone.units().values()] == [kind] * 5
    head = model.cls_head
    assert (head.num_classes, head.dropout_ratio, head.average_clips) == (400, 0.5, "prob")


def test_images_are_normalized_as_released():
    model = build_model(load())
    preprocessor = model.data_preprocessor
    clip = torch.full((1, 3, 2, 4, 4), 200, dtype=torch.uint8)
    batch = preprocessor({"inputs": [clip], "data_samples": [None]})["inputs"]
    expected = (200 / 255 - torch.tensor([124, 117, 104]) / 255) / (1 / (0.0167 * 255))
    torch.testing.assert_close(batch[0, 0, :, 0, 0, 0], expected, rtol=1e-4, atol=1e-4)


def test_optimizer_settings():
    model = build_model(load())
    groups = build_optim_wrapper(model, load().optim_wrapper).optimizer.param_groups
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    seen = {}
    for group in groups:
        assert (group["momentum"], group["nesterov"]) == (0.9, True)
        for parameter in group["params"]:
            seen[names[id(parameter)]] = (group["lr"], group["weight_decay"])
    assert len(seen) == len(names)
    for name, settings in seen.items():
        rate = 0.025 if ".conv_m2." in name else 0.05
        assert settings == (rate, 0.0 if name.endswith(".bias") else 1e-4), name
    assert seen["backbone.conv2.B01.conv_m2.bn.weight"] == (0.025, 1e-4)
    assert seen["cls_head.fc_cls.bias"] == (0.05, 0)


def test_schedule_in_samples():
    cfg = load()
    batch = cfg.train_dataloader.batch_size
    warmup, steps = cfg.param_scheduler
    assert (warmup.type, warmup.start_factor) == ("LinearLR", 0.1)
    assert (warmup.begin, warmup.end) == (0, 1500)
    assert [step * batch for step in steps.milestones] == [10_800_000, 15_600_000, 20_400_000]
    assert (steps.gamma, steps.by_epoch, warmup.by_epoch) == (0.1, False, False)
    assert cfg.train_cfg.max_iters * batch == 24_000_000
    assert batch == cfg.auto_scale_lr.base_batch_size == 64


def test_pipelines():
    cfg = load()
    train, val, test = (cfg[f"{split}_dataloader"].dataset.pipeline for split in SPLITS)
    sampling = [next(s for s in steps if s.type == "SampleFrames") for steps in (train, val, test)]
    assert [(s.clip_len, s.frame_interval) for s in sampling] == [(8, 8)] * 3
    assert [s.get("num_clips", 1) for s in sampling] == [1, 1, 10]
    augmentation = ["ClipRandomScale", "RandomCrop", "Flip", "ClipHLSJitter", "ClipNoise"]
    assert [step.type for step in train[3:8]] == augmentation
    assert (train[3].short_side, train[3].factor_range) == ((224, 340), (0.8, 1.25))
    assert (train[6].hue, train[6].lightness, train[6].saturation) == (15, 35, 25)
    for steps in (val, test):
        assert (steps[3].scale, steps[4].crop_size) == ((-1, 256), 224)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("r50_")])
def test_trains_validates_and_tests(name, kinetics, tmp_path):
    runner = build_runner(shrink(load(name), kinetics, tmp_path))
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    assert math.isfinite(runner.message_hub.get_scalar("train/loss").current())
    assert runner.message_hub.get_scalar("val/acc/top1").current() in (0, 0.5, 1)
    moved = {k for k, v in runner.model.named_parameters() if not v.equal(before[k])}
    assert {"cls_head.fc_cls.weight", "backbone.conv1.conv.weight"} <= moved
    scores = runner.test()  # ten clips
    assert set(scores) == {f"acc/{name}" for name in ("top1", "top5", "mean1", "unreadable")}
    assert scores["acc/unreadable"] == 0


def test_frames_of_folders_are_those_of_the_videos(kinetics, tmp_path):
    clips = []
    for name in (MAIN, f"{MAIN}-rawframes"):
        cfg = shrink(load(name), kinetics, tmp_path)
        dataset = build_dataset(cfg, "val")
        assert len(dataset) == 2
        assert [int(dataset[i]["data_samples"].gt_label) for i in range(2)] == [0, 1]
        clips.append(torch.stack([dataset[i]["inputs"] for i in range(2)]).float())
    assert clips[0].shape == (2, 1, 3, 8, 32, 32)
    # JPEG and H.264 lose a little each; another frame would differ by 50 and more.
    assert (clips[0] - clips[1]).abs().mean() < 12


def test_one_clip_by_an_option(kinetics, tmp_path):
    """The option that docs/video.md gives."""
    option = {"test_dataloader__dataset__pipeline__1__num_clips": 1}
    cfg = shrink(load(**option), kinetics, tmp_path)
    assert build_dataset(cfg, "test")[0]["inputs"].shape == (1, 3, 8, 32, 32)
