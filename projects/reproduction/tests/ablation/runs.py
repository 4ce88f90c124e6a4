"""Work folders of trainings that never ran, in the form that mmengine leaves them."""

import json
from pathlib import Path


def make_config(path: Path, **changes) -> Path:
    """A config of what the ablation reads, 4 iterations with a validation every 2."""
    from mmengine.config import Config  # takes long: the runs of the tests only log

    cfg = Config(
        {
            "model": {"type": "EncoderDecoder"},
            "train_dataloader": {
                "batch_size": 2,
                "num_workers": 1,
                "dataset": {"data_root": "data", "pipeline": [{"crop_size": (4, 8)}]},
            },
            "val_dataloader": {"dataset": {"data_root": "data"}},
            "val_evaluator": {"type": "CityscapesScoreMetric"},
            "train_cfg": {"max_iters": 4, "val_interval": 2},
            "optim_wrapper": {"type": "OptimWrapper", "optimizer": {"lr": 0.1}},
        }
    )
    cfg.merge_from_dict({key.replace("__", "."): value for key, value in changes.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    cfg.dump(path)
    return path


def log(work_dir: Path, scores: dict[int, float], *, until: int, seconds: float = 0.5) -> None:
    """Scalars of a training that logged every iteration, and a checkpoint at each score."""
    file = work_dir / "first" / "vis_data" / "scalars.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        {"loss": 1.0, "time": seconds * (1 + step % 2), "step": step}
        for step in range(1, until + 1)
    ]
    for step, score in scores.items():
        lines.append({"mIoU": score, "IoU.road": score, "IoU.car": 0.0, "time": 9, "step": step})
        (work_dir / f"iter_{step}.pth").touch()
    file.write_text("\n".join(map(json.dumps, lines)))
