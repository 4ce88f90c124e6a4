"""The task of a config, read from its ``default_scope``, and the host that it needs."""

from dataclasses import dataclass

from mmengine.config import Config

from glore_seg.checkpoints.json_config import read_json_config
from glore_seg.engine.config_errors import config_faults
from glore_seg.errors import ConfigError
from glore_seg.utils.dependencies import require


@dataclass(frozen=True)
class Task:
    """A task and the package of OpenMMLab's that serves it.

    Args:
        name: ``"segmentation"``, ``"classification"`` or ``"video"``.
        scope: The host's name, as in ``default_scope`` and ``_base_ = "SCOPE::..."``.
        extra: The extra of this package that brings the host; None where it is always there.
        head: Name of the part of the model that has the classes.
        visualizer: The host's, for predictions.
        visualization: Type and settings of the hook that paints all predictions.
    """

    name: str
    scope: str
    extra: str | None
    head: str
    visualizer: str
    visualization: dict[str, object]


TASKS = (
    Task(
        "segmentation",
        "mmseg",
        None,
        "decode_head",
        "SegLocalVisualizer",
        {"type": "SegVisualizationHook", "draw": True},
    ),
    Task(
        "classification",
        "mmpretrain",
        "cls",
        "head",
        "UniversalVisualizer",
        {"type": "VisualizationHook", "enable": True},
    ),
    Task(
        "video",
        "mmaction",
        "video",
        "cls_head",
        "ActionVisualizer",
        {"type": "ClipVisualizationHook"},  # mmaction2's own fails at its first clip
    ),
)


def task_of(cfg: Config) -> Task:
    """The task of a config; segmentation where it names no ``default_scope``.

    Raises:
        ConfigError: Its ``default_scope`` is none of the three hosts.
    """
    scope = cfg.get("default_scope") or "mmseg"
    for task in TASKS:
        if task.scope == scope:
            return task
    raise ConfigError(
        f"default_scope is {scope!r}; expected one of {', '.join(t.scope for t in TASKS)}: give "
        "that of the package whose models and datasets the config names"
    )


def read_config(path: str) -> Config:
    """Read a config file and import the host of its task.

    Hosts beside mmsegmentation are imported here and not with this package: a segmentation run
    neither needs them nor waits for them.

    Args:
        path: A config of mmengine's, which is a program and is run. One that ends in ``.json`` is
            data, as ``config_to_json`` writes it, and is not.

    Raises:
        MissingDependencyError: The host is not installed; the text names the command.
        ConfigError: The file cannot be read, the ``default_scope`` is none of the hosts, or a
            ``.json`` file is no config or could run code.
    """
    cfg = read_json_config(path) if path.endswith(".json") else _run_config(path)
    task = task_of(cfg)
    if task.extra:
        require(task.scope, task.extra)  # what it registers, mmengine imports where it builds it
    return cfg


def _run_config(path: str) -> Config:
    try:
        with config_faults(path, "read it"):
            return Config.fromfile(path)
    except ValueError as error:
        # Of a `_base_ = "mmpretrain::..."`, which mmengine looks for before it reads the scope.
        lacks = isinstance(error.__cause__, ModuleNotFoundError)
        for task in TASKS:
            if lacks and task.extra and task.scope in str(error.__cause__):
                require(task.scope, task.extra)
        raise


def require_segmentation(cfg: Config, what: str) -> None:
    """Refuse what has no meaning but for label maps.

    Args:
        cfg: The config.
        what: What was asked for: an option such as ``--out``, or a name for the work.

    Raises:
        ConfigError: The config is of another task.
    """
    task = task_of(cfg)
    if task.name != "segmentation":
        way_out = f": give one, or leave {what} out" if what.startswith("-") else ""
        raise ConfigError(
            f"{what} works on label maps, and this is a {task.name} config (default_scope "
            f"{task.scope!r}); expected a segmentation config{way_out}"
        )
