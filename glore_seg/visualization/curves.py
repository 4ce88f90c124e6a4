"""Training curves from the scalars that mmengine writes."""

import json
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Scalars = dict[str, list[tuple[int, float]]]


def read_scalars(work_dir: str | Path) -> Scalars:
    """Read every scalar that the runs of a work folder logged, a resumed run's after the first's.

    Args:
        work_dir: Work folder of one training.

    Returns:
        Name to (iteration, value) in rising order; where two runs logged the same iteration, the
        later run's value.

    Raises:
        FileNotFoundError: There are no scalars in the folder.
    """
    files = sorted(Path(work_dir).glob("*/vis_data/scalars.json"))
    if not files:
        raise FileNotFoundError(
            f"{work_dir} holds no */vis_data/scalars.json; expected the work folder of a training "
            "whose visualizer has a LocalVisBackend"
        )
    scalars: dict[str, dict[int, float]] = {}
    for file in files:
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            step = entry.pop("step", None)
            for name, value in entry.items():
                if step is not None and isinstance(value, int | float):
                    scalars.setdefault(name, {})[step] = value
    return {name: sorted(points.items()) for name, points in scalars.items()}


def plot_training_curves(
    work_dir: str | Path, out_file: str | Path, *, score: str = "mIoU"
) -> None:
    """Draw loss, learning rate and a validation score over the iterations.

    Args:
        work_dir: Work folder of one training.
        out_file: Picture to write, PNG or any format that matplotlib knows.
        score: The validation score to draw, in percent.

    Raises:
        FileNotFoundError: The folder holds no scalars.
    """
    scalars = read_scalars(work_dir)
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    panels = [("loss", "training loss"), ("lr", "learning rate"), (score, f"{score} on val, %")]
    for axes, (name, title) in zip(figure.subplots(1, 3), panels, strict=True):
        points = scalars.get(name, [])
        marker = "o" if name == score else None
        axes.plot(*zip(*points, strict=True), marker=marker) if points else None
        axes.set_title(title)
        axes.set_xlabel("iteration")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.savefig(out_file, dpi=120)
