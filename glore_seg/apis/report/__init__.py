"""Writes the report of a training from its work folder."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.apis.complexity import count_complexity
from glore_seg.apis.config import find_checkpoint, find_config, load_config
from glore_seg.apis.evaluation import Evaluation, evaluate
from glore_seg.apis.predictor import Predictor
from glore_seg.apis.report import facts, plots
from glore_seg.apis.tasks import require_segmentation
from glore_seg.engine.channels import input_channels
from glore_seg.engine.runner import build_dataset, build_model
from glore_seg.utils.files import atomic_write, check_free
from glore_seg.visualization.projections import COLORS
from glore_seg.visualization.report import render


def write_report(
    work_dir: Path,
    out_file: Path,
    *,
    config: Config | str | None = None,
    checkpoint: Path | None = None,
    cfg_options: dict[str, Any] | None = None,
    overwrite: bool = False,
) -> Evaluation:
    """Evaluate a checkpoint on val, write a report of its training (HTML), and return the scores.

    The defaults in the work folder are its config, and as checkpoint the best by mIoU, else the
    last. ``cfg_options`` override settings of the config's file.

    Raises:
        OutputError: ``out_file`` exists and ``overwrite`` is off.
        ConfigError: The config is missing or not for segmentation, the log is corrupted, or there
            is no checkpoint.
        DataError: An image has no label.
    """
    check_free(out_file, overwrite=overwrite)
    checkpoint = checkpoint or find_checkpoint(work_dir)
    if isinstance(config, Config):
        cfg = config
    else:
        cfg = load_config(str(config or find_config(work_dir)), cfg_options=cfg_options)
    require_segmentation(cfg, "the report")
    curves = plots.curves(work_dir)  # before the evaluation: the log may be corrupted
    predictor = Predictor(cfg, checkpoint, split="val")
    evaluation = evaluate(predictor, cfg)
    network: Any = build_model(cfg)
    complexity = count_complexity(
        network,
        (1, input_channels(cfg), *evaluation.input_size),
        forward=lambda x: network(x, mode="tensor"),
    )
    predictions, legend = plots.predictions(predictor, evaluation, build_dataset(cfg, "val"))
    note, projections = plots.projections(predictor, evaluation)
    columns, classes = facts.class_table(predictor, evaluation)
    page = render(
        title=Path(cfg.filename).stem if cfg.filename else work_dir.resolve().name,
        subtitle=f"{checkpoint.name} of {work_dir}, on {len(evaluation.paths)} images of val",
        tiles=facts.tiles(evaluation, complexity),
        recipe=facts.recipe(cfg, predictor, checkpoint),
        config=cfg.pretty_text,
        curves=curves,
        columns=columns,
        classes=classes,
        categories=facts.categories(evaluation),
        confusion=plots.confusion(evaluation),
        predictions=predictions,
        legend=legend,
        projections=projections,
        projections_note=note,
        projection_colors=COLORS["red-green"],
        speed=facts.speed(work_dir, evaluation, complexity, predictor.device),
    )
    with atomic_write(out_file) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return evaluation
