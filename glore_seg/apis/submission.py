"""From a checkpoint to an archive for the test server, by one process or several."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.dist import barrier, get_dist_info
from mmengine.runner import autocast
from mmengine.utils.dl_utils import set_multi_processing
from torch.utils.data import DataLoader, Subset

from glore_seg.apis.model import load_model
from glore_seg.engine.hooks.setup_check_hook import check_classes
from glore_seg.engine.processes import start_processes
from glore_seg.engine.runner import build_dataset
from glore_seg.errors import ConfigError, OutputError
from glore_seg.evaluation import label_id_table
from glore_seg.evaluation.submission import (
    ExpectedImages,
    SubmissionReport,
    SubmissionWriter,
    image_key,
)
from glore_seg.utils.devices import usable_device
from glore_seg.utils.files import sha256_of
from glore_seg.utils.progress import track

_DAY = 86400  # seconds; the fastest process waits for the slowest, the others for the packing


def submit(
    cfg: Config,
    checkpoint: str | Path,
    *,
    split: str,
    out: str | Path,
    work_dir: str | Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> SubmissionReport | None:
    """Predict a split, write its label ids, check them and pack them.

    Interrupted, a repeated call goes on with the images that are not there yet. Images are
    predicted one at a time, so that the result doesn't hang on where it was interrupted nor on
    the number of processes; each takes every n-th image. On a CPU it does hang on the number of
    threads of a process, so a folder takes only images of one number.

    Args:
        cfg: From :func:`load_config`, after :func:`use_split`, which names the images.
        checkpoint: The checkpoint file, read with ``weights_only=True``.
        split: The split's name, for the report.
        out: The zip.
        work_dir: Folder for the images and what is remembered of them; kept at the end.
            Default: ``<out without .zip>_images``.
        overwrite: Whether to replace ``out``.
        progress: Whether to show bars with the time left, in the first process.

    Returns:
        The report of the check; None in all processes but the first.

    Raises:
        OutputError: ``out`` is there, or ``work_dir`` holds something else or what was made
            otherwise.
        ConfigError: The checkpoint or the images are missing.
        ConfigError: ``out`` is not named ``*.zip``, an image is damaged, or the checkpoint, the
            classes or the predictions don't fit.
    """
    out, checkpoint = Path(out), Path(checkpoint)
    _check_out(out, overwrite)
    _init_processes(cfg)
    rank, world_size = get_dist_info()
    dataset = build_dataset(cfg, "test")
    expected = ExpectedImages.of_folder(dataset.data_prefix["img_path"], split)
    model = load_model(cfg, checkpoint)
    check_classes(model, dataset)
    writer = SubmissionWriter(
        work_dir or out.with_name(f"{out.stem}_images"),
        expected,
        _manifest(cfg, checkpoint, split, dataset),
    )
    if rank == 0:
        writer.begin()
    barrier()
    writer.compare()  # a process on another kind of device would round otherwise
    keys = [_key(dataset.get_data_info(index)["img_path"]) for index in range(len(dataset))]
    # The share is fixed before looking what is done: the others are writing already.
    todo = [i for i in range(rank, len(dataset), world_size) if not writer.is_done(keys[i])]
    _predict(cfg, model, dataset, todo, writer, progress=progress and rank == 0)
    barrier()
    return writer.finish(out, progress=progress) if rank == 0 else None


def _check_out(out: Path, overwrite: bool) -> None:
    if out.suffix != ".zip":
        raise ConfigError(f"--out {out} must end in .zip, which the server takes")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} exists: give another --out, or --overwrite to replace it")


def _init_processes(cfg: Config) -> None:
    """As the Runner does, but with time for the slowest process."""
    env = cfg.get("env_cfg", {})
    distributed = cfg.launcher != "none"
    set_multi_processing(**env.get("mp_cfg", {}), distributed=distributed)
    start_processes(cfg, timeout_s=_DAY)


def _manifest(cfg: Config, checkpoint: Path, split: str, dataset: BaseDataset) -> dict[str, str]:
    """All that a predicted image depends on."""
    model = cfg.model.to_dict()
    network = model.get("module", model)
    test_cfg = network.pop("test_cfg", {})
    # Evaluation is the same, and CPU processes have a SyncBN of their own.
    layers = re.sub('"(CPU)?SyncBN"', '"BN"', json.dumps(model, sort_keys=True, default=str))
    pipeline = json.dumps(cfg.test_dataloader.dataset.pipeline, sort_keys=True, default=str)
    return {
        "checkpoint": sha256_of(checkpoint),
        "model": hashlib.sha256(layers.encode()).hexdigest(),
        "pipeline": hashlib.sha256(pipeline.encode()).hexdigest(),
        "inference": f"{model['type']} {json.dumps(test_cfg, sort_keys=True)}",
        "fp16": str(_fp16(cfg)),
        "device": _device(),
        "label ids": " ".join(map(str, label_id_table(dataset.metainfo["classes"]))),
        "split": split,
        "images": str(Path(dataset.data_prefix["img_path"]).resolve()),
    }


def _device() -> str:
    """What kind of device predicts; sums of several threads are rounded otherwise than of one."""
    kind = usable_device().type
    return f"cpu with OMP_NUM_THREADS={torch.get_num_threads()}" if kind == "cpu" else kind


def _fp16(cfg: Config) -> bool:
    return bool((cfg.get("test_cfg") or {}).get("fp16", False))


def _key(path: str) -> str:
    key = image_key(Path(path).name)
    assert key is not None, "ExpectedImages has seen the names of this very folder"
    return key


@torch.no_grad()
def _predict(
    cfg: Config,
    model: Any,
    dataset: BaseDataset,
    indices: Sequence[int],
    writer: SubmissionWriter,
    *,
    progress: bool,
) -> None:
    table = label_id_table(dataset.metainfo["classes"])
    loader = DataLoader(
        Subset(dataset, indices),
        batch_size=1,
        num_workers=min(cfg.test_dataloader.get("num_workers", 0), len(indices)),
        collate_fn=pseudo_collate,
    )
    for batch in track(loader, len(indices), "predicting", show=progress):
        with autocast(enabled=_fp16(cfg)):
            (sample,) = model.test_step(batch)
        prediction = sample.pred_sem_seg.data.squeeze(0).cpu().numpy()  # (H, W)
        writer.write(_key(sample.img_path), table[prediction])
