"""What 1, 2 and 4 processes over gloo compute from the same images, written to a folder."""

import importlib
import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric
from mmseg.structures import SegDataSample
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.parallel import DistributedDataParallel
from torch.profiler import ProfilerActivity, profile

from benchmarks.soak.inputs import SMALL_NETWORK
from glore_seg.apis import load_config
from glore_seg.engine import build_model, build_runner, use_fsdp
from glore_seg.evaluation import CITYSCAPES_CLASSES, CityscapesScoreMetric
from tests.evaluation.metrics import test_cityscapes_score_metric as cases
from tests.fixtures import STREET_SCENES
from tests.forked import Forked

SIZE = (33, 65)
IMAGES, SAMPLES = 4, 7
ORDERS = ("coordinate", "interaction")


def small_network(order: str) -> Config:
    cfg = load_config(str(STREET_SCENES), cfg_options=SMALL_NETWORK)
    norm_cfg = {"type": "CPUSyncBN", "requires_grad": True}
    cfg.model.backbone.norm_cfg = norm_cfg
    cfg.model.backbone.pop("init_cfg", None)
    cfg.model.decode_head.update(norm_cfg=norm_cfg, dropout_ratio=0)
    cfg.model.decode_head.unit_cfg = {"zero_init": False, "order": order}
    cfg.model.data_preprocessor.size = SIZE
    return cfg


def gradients(folder: Path, order: str) -> None:
    """Gradients and running statistics of an FCN with the unit, of a part of the batch each."""
    rank, number = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(0)
    network = build_model(small_network(order)).double().train()
    images = torch.randn(IMAGES, 3, *SIZE, dtype=torch.float64)
    labels = torch.randint(0, 19, (IMAGES, *SIZE))
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels]
    for sample in samples:
        sample.set_metainfo({"img_shape": SIZE})
    model = DistributedDataParallel(network, broadcast_buffers=False)
    losses = model(images[rank::number], samples[rank::number], mode="loss")
    network.parse_losses(losses)[0].backward()
    found = {name: parameter.grad for name, parameter in network.named_parameters()}
    found |= dict(network.named_buffers())
    torch.save(found, folder / f"{order}_{number}_{rank}.pt")


class Recorded(CityscapesScoreMetric):
    def compute_metrics(self, results):
        return {**super().compute_metrics(results), "results": len(results)}


def scores(folder: Path, data: Path) -> None:
    """Scores of 7 samples, which 2 or 4 do not divide, by upstream's loaders."""
    from glore_seg.evaluation.metrics.checked_acc_metric import CheckedAccMetric

    (folder / "cwd").mkdir(exist_ok=True)
    os.chdir(folder / "cwd")  # where mmengine collects
    init_default_scope("mmseg")
    paths = cases.labels(data)[:SAMPLES]
    found = {}
    for round_up in (True, False):
        for device in ("cpu", "gpu"):
            metrics = [
                Recorded(collect_device=device),
                IoUMetric(iou_metrics=["mIoU", "mDice"], collect_device=device, prefix="mmseg"),
                CheckedAccMetric(
                    metric_options={"top_k_accuracy": {"topk": (1, 2)}}, collect_device=device
                ),
            ]
            evaluator = Evaluator(metrics)
            evaluator.dataset_meta = {"classes": CITYSCAPES_CLASSES}
            for batch in _loader(round_up):
                evaluator.process([_sample(paths, index) for index in batch])
            found[f"round_up={round_up} {device}"] = evaluator.evaluate(SAMPLES)
    written = Recorded(output_dir=str(folder / "written"), format_only=True)
    written.dataset_meta = {"classes": CITYSCAPES_CLASSES}
    for batch in _loader(True):
        written.process({}, [_sample(paths, index) for index in batch])
    found["written"] = written.evaluate(SAMPLES)
    name = f"scores_{dist.get_world_size()}_{dist.get_rank()}.json"
    (folder / name).write_text(json.dumps(found, sort_keys=True, default=float))


def _loader(round_up: bool):
    sampler = {"type": "DefaultSampler", "shuffle": False, "round_up": round_up}
    return Runner.build_dataloader(
        {
            "dataset": list(range(SAMPLES)),
            "batch_size": 2,
            "sampler": sampler,
            "collate_fn": {"type": "pseudo_collate"},
        }
    )


def _sample(paths: list[Path], index: int) -> dict:
    generator = torch.Generator().manual_seed(index)
    path = paths[index]
    return {
        **cases.sample(path, cases.guess(path)),
        "gt_sem_seg": {"data": torch.from_numpy(cases.read(path, "labelTrainIds"))[None].long()},
        "pred_score": torch.rand(3, generator=generator),
        "gt_label": torch.tensor([index % 3]),
        **({"unreadable": "it is missing"} if index == 5 else {}),
    }


class Counting(Hook):
    """The messages of one iteration of a training, from torch's profiler."""

    priority = "VERY_HIGH"

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 2:
            self.profile = profile(activities=[ProfilerActivity.CPU], record_shapes=True)
            self.profile.start()
        if runner.iter == 3:
            self.profile.stop()
            self.found = [
                (event.name, event.input_shapes)
                for event in self.profile.events()
                if event.name.startswith("gloo:")
            ]


def messages(folder: Path, path: Path) -> None:
    torch.set_num_threads(1)
    runner = build_runner(load_config(str(path), launcher="pytorch"))
    counting = Counting()
    runner.register_hook(counting)
    runner.train()
    (folder / f"messages_{dist.get_rank()}.json").write_text(json.dumps(counting.found))
    _leave()


class SavedAgain(Hook):
    """Saves again what was loaded, before the next iteration."""

    def __init__(self, path):
        self.path = path

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner._resume and not self.path.exists():
            runner.save_checkpoint(str(self.path.parent), self.path.name, by_epoch=True)


def sharded(folder: Path, path: Path, max_iters: int, resume: bool) -> None:
    """A training with FSDP: the output of its network, and what it keeps of a checkpoint."""
    torch.set_num_threads(1)
    cfg = load_config(str(path), launcher="pytorch", work_dir=str(folder / "sharded"))
    use_fsdp(cfg)
    cfg.strategy.model_wrapper.auto_wrap_policy.min_num_params = 20_000
    cfg.train_cfg.max_iters = max_iters
    cfg.default_hooks.checkpoint.interval = 2
    cfg.resume = resume
    runner = build_runner(cfg)
    runner.register_hook(SavedAgain(folder / "again.pth"))
    runner.train()
    parts = sum(isinstance(part, FullyShardedDataParallel) for part in runner.model.modules())
    name = f"sharded_{max_iters}_{dist.get_rank()}.pt"
    held = sum(parameter.numel() for parameter in runner.model.parameters())
    runner.model.eval()
    with torch.no_grad():
        out = runner.model(fixed_image(), mode="tensor")
    torch.save({"out": out, "parts": parts, "held": held, "iter": runner.iter}, folder / name)
    _leave()


def fixed_image() -> torch.Tensor:
    return torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(7))


def _leave() -> None:
    dist.barrier()
    os._exit(0)  # gloo's own end can wait for a peer that has gone already


def equality(folder: Path, data: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    for order in ORDERS:
        gradients(folder, order)
    scores(folder, data)
    _leave()


def main(folder: Path, data: Path, config: Path) -> None:
    importlib.import_module("glore_seg.evaluation.metrics.checked_acc_metric")  # once for all
    for number in (1, 2, 4):
        check(Forked(number, equality, folder, data, out=folder / f"out_{number}"))
    check(Forked(2, messages, folder, config, out=folder / "out_messages"))
    check(Forked(2, sharded, folder, config, 2, False, out=folder / "out_sharded_2"))
    check(Forked(2, sharded, folder, config, 4, True, out=folder / "out_sharded_4"))


def check(forked: Forked) -> None:
    codes = forked.wait()
    if any(codes):
        raise RuntimeError(f"exit codes {codes}: {' '.join(forked.said())}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
