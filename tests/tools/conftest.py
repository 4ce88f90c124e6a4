"""A config of seconds, and one training of it that many tests read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glore_seg.apis import load_config
from tests.configs.shrinking import shrink

STREET_SCENES = Path(__file__).parents[2] / "configs" / "fcn_r18_glore_street-scenes.py"


@pytest.fixture(scope="session")
def write_config(street_scenes, tmp_path_factory) -> Callable[..., str]:
    """Writes a config of four iterations with a checkpoint and a validation every two.

    It trains the street scenes' own network without dropout; ``changes`` go over it.
    """

    def write(**changes: Any) -> str:
        folder = tmp_path_factory.mktemp("config")
        cfg = shrink(load_config(str(STREET_SCENES)), street_scenes, folder, max_iters=4)
        for key in ("work_dir", "experiment_name"):
            cfg._cfg_dict.pop(key)
        cfg.train_cfg.val_interval = 2
        cfg.param_scheduler[0].end = 4
        cfg.default_hooks.checkpoint.update(interval=2, save_last=True, save_best="mIoU")
        cfg.model.decode_head.dropout_ratio = 0.0
        cfg.merge_from_dict({key.replace("__", "."): value for key, value in changes.items()})
        cfg.dump(folder / "small.py")
        return str(folder / "small.py")

    return write


@pytest.fixture(scope="session")
def small_config(write_config) -> str:
    """That config as it is."""
    return write_config()


@pytest.fixture(scope="session")
def call(load_tool) -> Callable[..., Any]:
    """Calls a tool on a config with a work folder, and gives what its ``main`` returns."""

    def call(tool: str, *arguments: object, work_dir: Path, cfg_options: tuple = ()) -> Any:
        # mmengine keeps one visualizer and one message hub a name in a process.
        name = str(work_dir).strip("/").replace("/", "_")
        names = (f"visualizer.name={name}", f"experiment_name={name}")
        return load_tool(tool)(
            [
                *map(str, arguments),
                *("--work-dir", str(work_dir)),
                *("--cfg-options", *names, *cfg_options),
            ]
        )

    return call


@pytest.fixture(scope="session")
def trained(call, small_config, tmp_path_factory) -> Path:
    """Work folder of one training to iteration 4; read only."""
    work_dir = tmp_path_factory.mktemp("trained") / "work_dir"
    call("train", small_config, work_dir=work_dir)
    return work_dir


def pytest_collection_modifyitems(config, items):
    """Keeps what shares that training on one worker of pytest-xdist."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            if "trained" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group("trained"))
