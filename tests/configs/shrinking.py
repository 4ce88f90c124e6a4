"""A config of full size made small enough for a test on one CPU core."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config

CROP = (64, 64)
_SIZES = {
    "RandomResize": {"scale": (128, 64)},
    "Resize": {"scale": (128, 64)},
    "RandomCrop": {"crop_size": CROP},
    "LoadRandomResizeCropFlip": {"scale": (128, 64), "crop_size": CROP},
}


def shrink(cfg: Config, data_root: Path, work_dir: Path, *, max_iters: int = 1) -> Config:
    """Point a config to small street scenes and cut size and length, but not the network.

    No pretrained weights, images of 64 x 128 in crops of 64 x 64, two in a batch, no worker
    processes, ``max_iters`` iterations and one validation after the last.
    """
    shrink_sizes(cfg)
    for node in dicts_of(cfg._cfg_dict):
        if "data_root" in node:
            node["data_root"] = str(data_root)
    cfg.train_cfg.update(max_iters=max_iters, val_interval=max_iters)
    # A checkpoint of ResNet-101 and its momentum are half a gigabyte.
    cfg.default_hooks.checkpoint.update(interval=-1, save_last=False, save_best=None)
    return name_run(cfg, work_dir)


def shrink_sizes(cfg: Config) -> None:
    """Make images, crops and batches small, and load no weights; the rest stays."""
    for node in dicts_of(cfg._cfg_dict):
        for key, value in _SIZES.get(node.get("type"), {}).items():
            if key in node:
                node[key] = value
        if node.get("pretrained") is not None:
            node["pretrained"] = None
        if (node.get("init_cfg") or {}).get("type") == "Pretrained":
            node["init_cfg"] = None
    cfg.model.data_preprocessor.size = CROP
    if cfg.model.test_cfg.get("mode") == "slide":
        cfg.model.test_cfg.update(crop_size=CROP, stride=(48, 48))
    for split in ("train", "val", "test"):
        cfg[f"{split}_dataloader"].update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.batch_size = 2
    cfg.default_hooks.logger.interval = 1
    cfg.randomness = {"seed": 0}
    cfg.log_level = "ERROR"


def shrink_video_sizes(cfg: Config, *, side: int = 32) -> None:
    """Make frames, crops and batches of a video config small; the network and the clips stay."""
    sizes = {
        "ClipRandomScale": {"short_side": (side, side + 8)},
        "RandomCrop": {"size": side},
        "Resize": {"scale": (-1, side + 4)},
        "CenterCrop": {"crop_size": side},
    }
    for split in ("train", "val", "test"):
        loader = cfg[f"{split}_dataloader"]
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
        for step in loader.dataset.pipeline:
            step.update(sizes.get(step.type, {}))
    cfg.randomness = {"seed": 0}
    cfg.log_level = "ERROR"


def name_run(cfg: Config, work_dir: Path) -> Config:
    """Give a run its folder, and a name, since mmengine keeps one visualizer and hub a name."""
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = str(work_dir).strip("/").replace("/", "_")
    cfg.visualizer.name = cfg.experiment_name
    return cfg


def dicts_of(node: Any) -> Iterator[dict]:
    """All dictionaries within lists and dictionaries, the outer ones first."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from dicts_of(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from dicts_of(value)
