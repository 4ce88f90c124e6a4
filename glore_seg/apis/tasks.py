"""The task of a config, by its ``default_scope``."""

from dataclasses import dataclass

from mmengine.config import Config

from glore_seg.errors import ConfigError


@dataclass(frozen=True)
class Task:
    """A task and the package of OpenMMLab for it.

    Args:
        name: ``"segmentation"``, ``"classification"`` or ``"video"``.
        scope: The package, as in ``default_scope`` and ``_base_ = "SCOPE::..."``.
        extra: The extra of ``glore_seg`` that installs it; None for mmseg, which is required.
        input_size: (H, W) or (T, H, W) of the paper's inputs.
        visualizer: Its visualizer of predictions.
        visualization: Type and settings of the hook that draws all predictions.
    """

    name: str
    scope: str
    extra: str | None
    input_size: tuple[int, ...]
    visualizer: str
    visualization: dict[str, object]


_DRAW_IMAGES = {"type": "SegVisualizationHook", "draw": True}
_DRAW_CLASSES = {"type": "VisualizationHook", "enable": True}
# mmaction2's own hook fails at its first clip.
_DRAW_CLIPS: dict[str, object] = {"type": "ClipVisualizationHook"}
TASKS = (
    Task("segmentation", "mmseg", None, (1024, 2048), "SegLocalVisualizer", _DRAW_IMAGES),
    Task("classification", "mmpretrain", "cls", (224, 224), "UniversalVisualizer", _DRAW_CLASSES),
    Task("video", "mmaction", "video", (8, 224, 224), "ActionVisualizer", _DRAW_CLIPS),
)


def task_of(cfg: Config) -> Task:
    """The task of a config; segmentation if it has no ``default_scope``.

    Raises:
        ConfigError: ``default_scope`` is none of the three.
    """
    scope = cfg.get("default_scope") or "mmseg"
    for task in TASKS:
        if task.scope == scope:
            return task
    raise ConfigError(
        f"default_scope is {scope!r}; expected one of {', '.join(t.scope for t in TASKS)}"
    )


def require_segmentation(cfg: Config, what: str) -> None:
    """Raise a :class:`ConfigError` for another task; ``what`` needs label maps, as ``--out``."""
    task = task_of(cfg)
    if task.name != "segmentation":
        fix = f": leave {what} out" if what.startswith("-") else ""
        raise ConfigError(
            f"{what} needs label maps, and default_scope is {task.scope!r} ({task.name}); expected "
            f"a segmentation config{fix}"
        )
