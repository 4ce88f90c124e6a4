"""From the work folder of a training to one HTML page."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.apis.complexity import count_complexity
from glore_seg.apis.config import load_config
from glore_seg.apis.evaluation import Evaluation, evaluate
from glore_seg.apis.predictor import Predictor
from glore_seg.apis.report import figures as numbers
from glore_seg.apis.report import images as images
from glore_seg.apis.tasks import require_segmentation
from glore_seg.apis.visualize import check_free
from glore_seg.apis.work_dir import find_checkpoint, find_config
from glore_seg.engine.runner import build_dataset, build_model
from glore_seg.utils.files import atomic_write
from glore_seg.visualization.projections import COLORS
from glore_seg.visualization.report import Report, render


def write_report(
    work_dir: Path,
    out_file: Path,
    *,
    config: Config | str | None = None,
    checkpoint: Path | None = None,
    cfg_options: dict[str, Any] | None = None,
    overwrite: bool = False,
) -> Evaluation:
    """Evaluate a run's checkpoint on val, and write all that is known of the run on one page.

    Args:
        work_dir: Work folder of the training.
        out_file: Page to write.
        config: The run's config. Default: the one that lies in the work folder.
        checkpoint: Weights. Default: the best by mIoU, else the last, in the work folder.
        cfg_options: Settings that override the config's where ``config`` is a file.
        overwrite: Whether ``out_file`` may be there.

    Returns:
        What the checkpoint scores on val.

    Raises:
        FileNotFoundError: The folder holds no config or no checkpoint.
        FileExistsError: ``out_file`` is there.
        ValueError: The config is not of segmentation, the training's log is damaged, or an image
            comes without label.
    """
    check_free(out_file, overwrite=overwrite)
    checkpoint = checkpoint or find_checkpoint(work_dir)
    if isinstance(config, Config):
        cfg = config
    else:
        cfg = load_config(str(config or find_config(work_dir)), cfg_options=cfg_options)
    require_segmentation(cfg, "the report")
    curves = images.curves(work_dir)  # refuses a damaged log before it evaluates
    predictor = Predictor(cfg, checkpoint, split="val")
    evaluation = evaluate(predictor, cfg)
    network: Any = build_model(cfg)
    complexity = count_complexity(
        network, (1, 3, *evaluation.input_size), forward=lambda x: network(x, mode="tensor")
    )
    dataset = build_dataset(cfg, "val")
    predictions, legend = images.predictions(predictor, evaluation, dataset)
    note, projections = images.projections(predictor, evaluation)
    report = Report(
        title=Path(cfg.filename).stem if cfg.filename else work_dir.resolve().name,
        subtitle=f"{checkpoint.name} of {work_dir}, on {len(evaluation.paths)} images of val",
        tiles=numbers.tiles(evaluation, complexity),
        recipe=numbers.recipe(cfg, predictor, checkpoint),
        config=cfg.pretty_text,
        curves=curves,
        classes=numbers.class_rows(predictor, evaluation),
        categories=numbers.categories(evaluation),
        confusion=images.confusion(evaluation),
        predictions=predictions,
        legend=legend,
        projections=projections,
        projections_note=note,
        projection_colors=COLORS["red-green"],
        speed=numbers.speed(work_dir, evaluation, complexity, predictor.device),
    )
    with atomic_write(out_file) as aside:
        aside.write_text(render(report), encoding="utf-8")
    return evaluation
