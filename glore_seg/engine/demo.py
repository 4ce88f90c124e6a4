"""What `make demo` does: data, training, evaluation and pictures in one folder."""

import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mmcv
import numpy as np
from cityscapesscripts.helpers.labels import name2label
from mmengine.config import Config
from mmengine.runner import Runner
from prettytable import PrettyTable

from glore_seg.datasets import make_street_scenes
from glore_seg.engine.config import load_config
from glore_seg.engine.runner import build_dataset, build_runner
from glore_seg.visualization import draw_panel, plot_training_curves

_PANEL_ROWS = 4


def run_demo(
    config: str,
    out_dir: Path,
    *,
    max_iters: int | None = None,
    scenes: Mapping[str, Any] | None = None,
) -> None:
    """Make street scenes, train a config on them, evaluate, and leave everything in a folder.

    A second call on the same folder goes on where the first stopped.

    Args:
        config: A config whose data set takes ``data_root``, such as
            ``configs/fcn_r18_glore_street-scenes.py``.
        out_dir: Gets ``street_scenes/`` and ``work_dir/``, ``class_table.txt``,
            ``training_curve.png``, ``panel.png`` and the best checkpoint.
        max_iters: Iterations of training. Default: the config's own.
        scenes: Arguments of :func:`glore_seg.datasets.make_street_scenes`, such as
            ``{"num_train": 8}``. Default: its own.

    Raises:
        FileExistsError: ``out_dir/street_scenes`` is there and was made otherwise.
    """
    start = time.monotonic()
    warnings.filterwarnings("ignore", module="mm(seg|engine)")  # of no use to a newcomer
    _say(f"1/4  Making street scenes in {out_dir / 'street_scenes'}")
    make_street_scenes(out_dir / "street_scenes", **(scenes or {}))

    cfg = load_config(config, work_dir=str(out_dir / "work_dir"))
    for split in ("train", "val", "test"):
        cfg[f"{split}_dataloader"].dataset.data_root = str(out_dir / "street_scenes")
    if max_iters is not None:
        cfg.train_cfg.max_iters = cfg.param_scheduler[-1].end = max_iters
        cfg.train_cfg.val_interval = min(cfg.train_cfg.val_interval, max_iters)
    cfg.randomness = {"seed": 0}
    cfg.log_level = "ERROR"  # the progress bar speaks instead
    cfg.custom_hooks.append({"type": "ProgressBarHook"})

    _say("2/4  Scoring the network before training")
    untrained = _score(cfg, out_dir / "untrained", checkpoint=None)
    _say(f"3/4  Training for {cfg.train_cfg.max_iters} iterations")
    cfg.resume = (Path(cfg.work_dir) / "last_checkpoint").exists()
    _runner(cfg).train()
    _say("4/4  Scoring the best checkpoint and drawing")
    checkpoint = next(Path(cfg.work_dir).glob("best_mIoU_iter_*.pth"))
    trained = _score(cfg, out_dir / "evaluation", checkpoint=checkpoint)

    table = _class_table(untrained, trained)
    (out_dir / "class_table.txt").write_text(table + "\n")
    plot_training_curves(cfg.work_dir, out_dir / "training_curve.png")
    _draw_predictions(cfg, out_dir / "evaluation" / "predictions", out_dir / "panel.png")
    print(table)
    minutes = (time.monotonic() - start) / 60
    _say(
        f"Done in {minutes:.1f} minutes: mIoU {untrained['mIoU']:.2f} -> {trained['mIoU']:.2f} %. "
        f"In {out_dir}: class_table.txt, training_curve.png, panel.png, "
        f"{checkpoint.relative_to(out_dir)}. "
        "Next: your own pictures (README, 'Use it in your own config') or Cityscapes "
        "(README, 'Cityscapes in five steps')."
    )


def _say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def _score(cfg: Config, folder: Path, *, checkpoint: Path | None) -> dict[str, float]:
    """Scores on val; with a checkpoint, its predictions go to ``folder/predictions``."""
    cfg = cfg.copy()
    cfg.work_dir = str(folder)
    cfg.resume = False
    cfg.load_from = None if checkpoint is None else str(checkpoint)
    if checkpoint is not None:
        cfg.test_evaluator.output_dir = str(folder / "predictions")
    return _runner(cfg).test()


def _runner(cfg: Config) -> Runner:
    # mmengine keeps one visualizer a name; several runs in one process would share their folder.
    cfg.visualizer.name = cfg.experiment_name = Path(cfg.work_dir).name
    return build_runner(cfg)


def _class_table(untrained: dict[str, float], trained: dict[str, float]) -> str:
    def percent(key: str) -> list[str]:
        return [f"{scores[key]:.2f}" for scores in (untrained, trained)]

    table = PrettyTable(["class", "untrained, IoU %", "trained, IoU %"])
    table.align = "r"
    table.align["class"] = "l"
    for key in trained:
        if key.startswith("IoU."):
            table.add_row([key.removeprefix("IoU."), *percent(key)])
    table.add_divider()
    table.add_row(["mean", *percent("mIoU")])
    return table.get_string()


def _draw_predictions(cfg: Config, predictions: Path, out_file: Path) -> None:
    dataset = build_dataset(cfg, "test")
    classes = dataset.metainfo["classes"]
    index_of = np.full(256, 255, np.uint8)  # class indices of label ids
    index_of[[name2label[name].id for name in classes]] = np.arange(len(classes))
    rows = []
    for index in np.linspace(0, len(dataset) - 1, _PANEL_ROWS).round().astype(int):
        sample = dataset[int(index)]["data_samples"]
        name = f"{Path(sample.img_path).stem}.png"
        rows.append(
            {
                "input": mmcv.imread(sample.img_path, channel_order="rgb"),
                "ground truth": sample.gt_sem_seg.data.squeeze(0).numpy(),
                "prediction": index_of[mmcv.imread(str(predictions / name), flag="unchanged")],
            }
        )
    draw_panel(
        rows,
        out_file,
        classes=classes,
        palette=dataset.metainfo["palette"],
    )
