"""From a checkpoint to a zip for the test server, by one process or several."""

import hashlib
import json
import re
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.dist import barrier, get_dist_info
from mmengine.utils.dl_utils import set_multi_processing
from torch.utils.data import DataLoader, Subset

from glore_seg.apis.predictor import Predictor
from glore_seg.engine.hooks.setup_check_hook import check_classes
from glore_seg.engine.runner import build_dataset, start_processes
from glore_seg.errors import ConfigError
from glore_seg.evaluation import label_id_table
from glore_seg.evaluation.submission import (
    ExpectedImages,
    SubmissionReport,
    SubmissionWriter,
    image_key,
)
from glore_seg.utils.files import check_free, sha256_of
from glore_seg.utils.progress import track

_DAY = 86400  # seconds; processes wait for the slowest one, and for the packing


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
    """Predict a split, check its label ids and pack them.

    After an interrupt, the same call predicts only the images that are missing. Images are
    predicted one at a time, so the result depends neither on interrupts nor on the number of
    processes; on a CPU it depends on the number of threads, so a folder takes one number only.

    ``cfg`` comes from :func:`use_split`, which selects the images of ``split``. ``work_dir`` gets
    the images and keeps them; default: ``<out without .zip>_images``. ``overwrite`` replaces the
    zip, ``out``. Returns the report of the check; None on all ranks but the first.

    Raises:
        OutputError: ``out`` exists, or ``work_dir`` holds something else or other settings' images.
        ConfigError: ``out`` is not named ``*.zip``, or the classes don't fit.
        CheckpointError: The checkpoint is missing or of another network.
        DataError: An image is missing or cannot be read.
    """
    out, checkpoint = Path(out), Path(checkpoint)
    if out.suffix != ".zip":
        raise ConfigError(f"--out {out} must end in .zip, which the server takes")
    check_free(out, overwrite=overwrite)
    mp_cfg = cfg.get("env_cfg", {}).get("mp_cfg", {})
    set_multi_processing(**mp_cfg, distributed=cfg.launcher != "none")
    start_processes(cfg, timeout_s=_DAY)
    rank, world_size = get_dist_info()
    dataset = build_dataset(cfg, "test")
    expected = ExpectedImages.of_folder(dataset.data_prefix["img_path"], split)
    predictor = Predictor(cfg, checkpoint)
    check_classes(predictor.model, dataset)
    writer = SubmissionWriter(
        work_dir or out.with_name(f"{out.stem}_images"),
        expected,
        _manifest(cfg, checkpoint, split, dataset, predictor.device),
    )
    if rank == 0:
        writer.begin()
    barrier()
    writer.compare()  # a process on another kind of device would round differently
    keys = [_key(dataset.get_data_info(i)["img_path"]) for i in range(len(dataset))]
    # Each process takes its share first: the others are writing already.
    todo = [i for i in range(rank, len(dataset), world_size) if not writer.is_done(keys[i])]
    loader = DataLoader(
        Subset(dataset, todo),
        batch_size=1,
        num_workers=min(cfg.test_dataloader.get("num_workers", 0), len(todo)),
        collate_fn=pseudo_collate,
    )
    table = label_id_table(predictor.classes)
    batches = track(loader, len(todo), "predicting", show=progress and rank == 0)
    for found in predictor.run(batches):
        writer.write(_key(found.sample.img_path), table[found.labels])
    barrier()
    return writer.finish(out) if rank == 0 else None


def _manifest(
    cfg: Config, checkpoint: Path, split: str, dataset: BaseDataset, device: torch.device
) -> dict[str, str]:
    """All settings that a predicted image depends on."""
    model = cfg.model.to_dict()
    network = model.get("module", model)
    test_cfg = network.pop("test_cfg", {})
    # Equal in evaluation; SyncBN is replaced on CPUs.
    layers = re.sub('"(CPU)?SyncBN"', '"BN"', json.dumps(model, sort_keys=True, default=str))
    pipeline = json.dumps(cfg.test_dataloader.dataset.pipeline, sort_keys=True, default=str)
    # On a CPU, sums of several threads are rounded differently.
    threads = f" with OMP_NUM_THREADS={torch.get_num_threads()}" if device.type == "cpu" else ""
    return {
        "checkpoint": sha256_of(checkpoint),
        "model": hashlib.sha256(layers.encode()).hexdigest(),
        "pipeline": hashlib.sha256(pipeline.encode()).hexdigest(),
        "inference": f"{model['type']} {json.dumps(test_cfg, sort_keys=True)}",
        "fp16": str((cfg.get("test_cfg") or {}).get("fp16", False)),
        "device": f"{device.type}{threads}",
        "label ids": " ".join(map(str, label_id_table(dataset.metainfo["classes"]))),
        "split": split,
        "images": str(Path(dataset.data_prefix["img_path"]).resolve()),
    }


def _key(path: str) -> str:
    key = image_key(Path(path).name)
    assert key is not None, "ExpectedImages has checked the names of this folder"
    return key
