"""`make demo`, or `python -m projects.synthetic_data.demo OUT`: the whole job in minutes on a CPU.

Data, training, evaluation, report, figures and a submission, in one folder.
"""

import argparse
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner
from prettytable import PrettyTable

from glore_seg.apis.config import find_checkpoint, load_config
from glore_seg.apis.evaluation import Evaluation
from glore_seg.apis.report import write_report
from glore_seg.apis.splits import use_split
from glore_seg.apis.submission import submit
from glore_seg.apis.visualize import compare_models
from glore_seg.cli import run_tool
from glore_seg.engine.runner import build_runner
from glore_seg.utils.files import sha256_of
from projects.synthetic_data.street_scenes import make_street_scenes

_CONFIG = Path(__file__).parents[2] / "configs" / "fcn_r18_glore_street-scenes.py"
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

    ``config`` is one whose dataset takes ``data_root``, ``max_iters`` is by default its own, and
    ``scenes`` are arguments of :func:`make_street_scenes`.
    """
    start = time.monotonic()
    warnings.filterwarnings("ignore", module="mm(seg|engine)")  # of no use to a newcomer
    _say(f"1/5  Making street scenes in {out_dir / 'street_scenes'}")
    make_street_scenes(out_dir / "street_scenes", **(scenes or {}))

    cfg = load_config(config, work_dir=str(out_dir / "work_dir"))
    for split in ("train", "val", "test"):
        cfg[f"{split}_dataloader"].dataset.data_root = str(out_dir / "street_scenes")
    if max_iters is not None:
        cfg.train_cfg.max_iters = cfg.param_scheduler[-1].end = max_iters
        cfg.train_cfg.val_interval = min(cfg.train_cfg.val_interval, max_iters)
    cfg.randomness = {"seed": 0}
    cfg.log_level = "ERROR"  # the progress bar speaks instead
    cfg.custom_hooks = [*(cfg.get("custom_hooks") or []), {"type": "ProgressBarHook"}]

    _say("2/5  Scoring the network before training")
    untrained_cfg = cfg.copy()
    untrained_cfg.work_dir = str(out_dir / "untrained")
    untrained = _runner(untrained_cfg).test()
    _say(f"3/5  Training for {cfg.train_cfg.max_iters} iterations")
    cfg.resume = (Path(cfg.work_dir) / "last_checkpoint").exists()
    _runner(cfg).train()
    _say("4/5  Scoring the best checkpoint and drawing")
    checkpoint = find_checkpoint(Path(cfg.work_dir))
    report = out_dir / "report.html"
    trained = write_report(
        Path(cfg.work_dir), report, config=cfg, checkpoint=checkpoint, overwrite=True
    )

    table = _class_table(untrained, trained)
    (out_dir / "class_table.txt").write_text(table + "\n")
    compare_models(
        {"prediction": (cfg, str(checkpoint))},
        out_file=out_dir / "panel.png",
        num_images=_PANEL_ROWS,
        candidates=_PANEL_ROWS,
        overwrite=True,
    )
    print(table)
    _say("5/5  Making and checking a submission of the test split")
    print(submit_demo(config, out_dir, checkpoint))
    minutes = (time.monotonic() - start) / 60
    _say(
        f"Done in {minutes:.1f} minutes: mIoU {untrained['mIoU']:.2f} -> {trained.mean_iou:.2f} %. "
        f"In {out_dir}: report.html, class_table.txt, panel.png, "
        f"submission.zip, {checkpoint.relative_to(out_dir)}. "
        "Next: your own images (docs/your_data.md) or Cityscapes (docs/cityscapes.md)."
    )


def submit_demo(config: str, out_dir: Path, checkpoint: Path) -> str:
    """Predict and pack the test split; what the check says of it."""
    cfg = load_config(config)
    cfg.test_dataloader.dataset.data_root = str(out_dir / "street_scenes")
    use_split(cfg, "test")
    report = submit(
        cfg,
        checkpoint,
        split="test",
        out=out_dir / "submission.zip",
        # A folder for each checkpoint: a demo that goes on, or trains anew, finds another best one.
        work_dir=out_dir / f"submission_{checkpoint.stem}_{sha256_of(checkpoint)[:8]}",
        overwrite=True,
    )
    assert report is not None, "a single process packs"
    return "\n".join(report.lines())


def _say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def _runner(cfg: Config) -> Runner:
    # mmengine keeps one visualizer a name; several runs in one process would share their folder.
    cfg.visualizer.name = cfg.experiment_name = Path(cfg.work_dir).name
    return build_runner(cfg)


def _class_table(untrained: dict[str, float], trained: Evaluation) -> str:
    table = PrettyTable(["class", "untrained, IoU %", "trained, IoU %"], align="r")
    table.align["class"] = "l"
    for name, iou in zip(trained.classes, trained.iou, strict=True):
        table.add_row([name, f"{untrained[f'IoU.{name}']:.2f}", f"{iou:.2f}"])
    table.add_divider()
    table.add_row(["mean", f"{untrained['mIoU']:.2f}", f"{trained.mean_iou:.2f}"])
    return table.get_string()


def main(argv: Sequence[str] | None = None) -> None:
    """Make street scenes, train, evaluate and draw."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.synthetic_data.demo",
        description="Make street scenes, train a small FCN + GloRe on them, evaluate, draw. "
        "Interrupted, it goes on where it stopped.",
        epilog="example: %(prog)s demo_output",
    )
    parser.add_argument("out_dir", type=Path, help="folder for everything that it makes")
    parser.add_argument("--config", default=_CONFIG, help="config to train (default: %(default)s)")
    text = "length of the training (default: the config's own)"
    parser.add_argument("--iters", type=int, help=text)
    args = parser.parse_args(argv)
    run_demo(str(args.config), args.out_dir, max_iters=args.iters)


if __name__ == "__main__":
    run_tool(main, resumable=True)
