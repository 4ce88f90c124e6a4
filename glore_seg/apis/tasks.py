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
        visualizer: Its visualizer of predictions.
        visualization: Type and settings of the hook that draws all predictions.
    """

    name: str
    scope: str
    extra: str | None
    visualizer: str
    visualization: dict[str, object]


TASKS = (
    Task(
        "segmentation",
        "mmseg",
        None,
        "SegLocalVisualizer",
        {"type": "SegVisualizationHook", "draw": True},
    ),
    Task(
        "classification",
        "mmpretrain",
        "cls",
        "UniversalVisualizer",
        {"type": "VisualizationHook", "enable": True},
    ),
    Task(
        "video",
        "mmaction",
        "video",
        "ActionVisualizer",
        {"type": "ClipVisualizationHook"},  # mmaction2's own fails at its first clip
    ),
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
    """Refuse a config of another task.

    Args:
        cfg: The config.
        what: The option or the function that needs label maps, such as ``--out``.

    Raises:
        ConfigError: The config is not of segmentation.
    """
    task = task_of(cfg)
    if task.name != "segmentation":
        fix = f": leave {what} out" if what.startswith("-") else ""
        raise ConfigError(
            f"{what} needs label maps, and default_scope is {task.scope!r} ({task.name}); expected "
            f"a segmentation config{fix}"
        )
