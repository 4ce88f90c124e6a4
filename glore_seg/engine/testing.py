"""What test.py's options change in a config."""

from typing import Any

from mmengine.config import Config

_LOADS_LABELS = ("LoadAnnotations", "LoadCheckedAnnotations")


def use_visualization(cfg: Config, *, show: bool, show_dir: str | None, wait_time: float) -> None:
    """Paint every prediction: in a window, or into ``show_dir/vis_data/vis_image``."""
    hook = cfg.default_hooks.setdefault("visualization", {"type": "SegVisualizationHook"})
    hook.update(draw=True, interval=1, show=show, wait_time=wait_time)
    # TensorBoard would keep a second copy of each picture.
    cfg.visualizer.vis_backends = [{"type": "LocalVisBackend"}]
    if show_dir:
        cfg.visualizer.save_dir = show_dir


def use_tta(cfg: Config) -> None:
    """Test at several scales, flipped and not, as the config's ``tta_pipeline`` says.

    Where the config's own test pipeline loads no labels, the other loads none either.

    Raises:
        ValueError: The config has no ``tta_pipeline`` or ``tta_model``.
    """
    missing = [key for key in ("tta_pipeline", "tta_model") if key not in cfg]
    if missing:
        raise ValueError(
            f"--tta needs {' and '.join(missing)} in the config; mmseg's data set bases "
            "(mmseg::_base_/datasets/...) and default_runtime have them"
        )
    dataset = cfg.test_dataloader.dataset
    labelled = any(t["type"] in _LOADS_LABELS for t in dataset.pipeline)
    dataset.pipeline = cfg.tta_pipeline if labelled else without_labels(cfg.tta_pipeline)
    cfg.model = {**cfg.tta_model, "module": cfg.model}


def use_output_dir(cfg: Config, output_dir: str, *, format_only: bool) -> None:
    """Write the predicted label maps to a folder, and with ``format_only`` do nothing else."""
    several = isinstance(cfg.test_evaluator, list | tuple)
    for metric in cfg.test_evaluator if several else [cfg.test_evaluator]:
        metric.output_dir = output_dir
        if metric.type == "CityscapesMetric":  # mmseg's, which would remove the folder at the end
            metric.keep_results = True
        if format_only:
            metric.format_only = True
    if format_only:
        dataset = cfg.test_dataloader.dataset
        dataset.test_mode = True
        dataset.pipeline = without_labels(dataset.pipeline)


def without_labels(transforms: Any) -> Any:
    """The same pipeline without the loading of labels, within ``TestTimeAug``'s lists as well."""
    kept = []
    for item in transforms:
        if isinstance(item, list | tuple):
            inner = without_labels(item)
            if inner:  # TestTimeAug combines its lists; an empty one would leave no combination
                kept.append(inner)
        elif item["type"] not in _LOADS_LABELS:
            if "transforms" in item:
                item = {**item, "transforms": without_labels(item["transforms"])}
            kept.append(item)
    return kept
