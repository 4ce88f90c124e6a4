"""Changes of a config by the options of tools/test.py and tools/submit.py."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from glore_seg.apis.splits import label_loaders, without_labels
from glore_seg.apis.tasks import require_segmentation, task_of
from glore_seg.errors import ConfigError
from glore_seg.utils.files import remove_unfinished


def use_visualization(cfg: Config, *, show: bool, show_dir: str | None, wait_time: float) -> None:
    """Draw every prediction: in a window, or into ``show_dir/vis_data/vis_image``."""
    task = task_of(cfg)
    hooks = cfg.get("default_hooks") or {}
    drawn = {**task.visualization, "interval": 1, "show": show, "wait_time": wait_time}
    cfg.default_hooks = {**hooks, "visualization": {**(hooks.get("visualization") or {}), **drawn}}
    if cfg.get("visualizer") is None:
        cfg.visualizer = {"type": task.visualizer, "name": "visualizer"}
    # TensorBoard would store a second copy of each image.
    cfg.visualizer.vis_backends = [{"type": "AtomicLocalVisBackend"}]
    if show_dir:
        cfg.visualizer.save_dir = show_dir


def use_tta(cfg: Config) -> None:
    """Test at the scales and flips of the config's ``tta_pipeline``.

    Labels are loaded only if the config's test pipeline loads them.

    Raises:
        ConfigError: The config has no ``tta_pipeline`` or ``tta_model``.
    """
    missing = [key for key in ("tta_pipeline", "tta_model") if key not in cfg]
    if missing:
        raise ConfigError(
            f"--tta needs {' and '.join(missing)} in the config; mmseg's dataset bases "
            "(mmseg::_base_/datasets/...) and default_runtime have them; a classifier needs "
            "tta_model=dict(type='AverageClsScoreTTA')"
        )
    dataset = cfg.test_dataloader.dataset
    labelled = label_loaders(dataset.pipeline)
    dataset.pipeline = cfg.tta_pipeline if labelled else without_labels(cfg.tta_pipeline)
    # else mmengine takes the config's data_preprocessor, which is not that of the training
    own = cfg.model.get("data_preprocessor")
    own = {"data_preprocessor": own.to_dict()} if own else {}
    cfg.model = {**own, **cfg.tta_model, "module": cfg.model}


def use_inference(
    cfg: Config,
    mode: str | None,
    *,
    crop_size: tuple[int, int] | None = None,
    stride: tuple[int, int] | None = None,
) -> None:
    """Predict whole images or sliding windows; call it before :func:`use_tta`.

    ``mode`` is ``"whole"`` or ``"slide"``, ``crop_size`` (height, width) of a window and ``stride``
    (vertical, horizontal) between windows in pixels. The config has the defaults.

    Raises:
        ConfigError: Windows are given in mode ``"whole"``, are missing, or leave gaps; or the
            config is not for segmentation.
    """
    require_segmentation(cfg, "predicting")
    if cfg.model.get("test_cfg") is None:
        cfg.model.test_cfg = {}
    test_cfg = cfg.model.test_cfg
    mode = mode or test_cfg.get("mode", "whole")
    if mode not in ("whole", "slide"):
        raise ConfigError(f"mode is {mode!r}; expected 'whole' or 'slide' (model.test_cfg.mode)")
    test_cfg.mode = mode
    if mode == "whole":
        if crop_size or stride:
            raise ConfigError("--crop-size and --stride need --mode slide")
        return
    for key, size in (("crop_size", crop_size), ("stride", stride)):
        if size:
            test_cfg[key] = size
    check_windows(test_cfg)


def check_windows(test_cfg: dict[str, Any]) -> None:
    """Check ``crop_size`` and ``stride``, and turn single numbers into pairs.

    Raises:
        ConfigError: One is no size, or the windows leave gaps.
    """
    for key in ("crop_size", "stride"):
        size = test_cfg.get(key)
        sides = size if isinstance(size, list | tuple) else (size, size)
        if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
            raise ConfigError(
                f"model.test_cfg.{key} is {size!r}; expected height and width in pixels: set "
                "crop_size and stride in the config, or with --crop-size and --stride of submit.py"
            )
        test_cfg[key] = tuple(sides)
    stride, window = test_cfg["stride"], test_cfg["crop_size"]
    if stride[0] > window[0] or stride[1] > window[1]:
        raise ConfigError(
            f"stride is {stride} with a crop_size of {window}; expected at most the window's size, "
            "or pixels would be left out"
        )


def use_output_dir(cfg: Config, output_dir: str, *, format_only: bool) -> None:
    """Write the predicted label maps to a folder; with ``format_only``, score nothing.

    Raises:
        ConfigError: The config is not for segmentation.
    """
    require_segmentation(cfg, "--out")
    remove_unfinished(Path(output_dir))
    several = isinstance(cfg.test_evaluator, list | tuple)
    for metric in cfg.test_evaluator if several else [cfg.test_evaluator]:
        metric.output_dir = output_dir
        if metric.type == "CityscapesMetric":  # mmseg's removes the folder at the end
            metric.keep_results = True
        if format_only:
            metric.format_only = True
    if format_only:
        dataset = cfg.test_dataloader.dataset
        dataset.test_mode = True
        dataset.pipeline = without_labels(dataset.pipeline)
