"""What tests of several folders share: one thread, a small dataset, the tools' entry points."""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yapf.yapflib.yapf_api
from mmengine.registry import DefaultScope

from glore_seg.apis import load_config
from glore_seg.cli import run_tool
from glore_seg.compat.torch_api import EXPORT, TORCH
from projects.synthetic_data.street_scenes import make_street_scenes
from tests.configs.shrinking import shrink

REPOSITORY = Path(__file__).parents[1]
STREET_SCENES = REPOSITORY / "configs" / "fcn_r18_glore_street-scenes.py"


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Threads of so small networks wait for each other more than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", autouse=True)
def plain_dumps():
    """yapf on the copies of configs that a small run keeps takes longer than the run."""

    def unformatted(text, **_):
        return text, True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yapf.yapflib.yapf_api, "FormatCode", unformatted)
        # mmengine takes the function's name as it is imported, its fork as it is called.
        patch.setattr("mmengine.config.config.FormatCode", unformatted, raising=False)
        yield


@pytest.fixture(autouse=True)
def no_scope_is_left():
    """What one test builds in mmpretrain's or mmaction's scope, the next would look for there."""
    yield
    DefaultScope._instance_dict.clear()


@pytest.fixture(scope="session")
def export_support():
    """Skips what exports where torch is too old for it."""
    if TORCH < EXPORT:
        pytest.skip(f"torch {torch.__version__}: export needs 2.6")


@pytest.fixture(scope="session")
def street_scenes(tmp_path_factory) -> Path:
    """Street scenes of 64 x 128: 8 to train, 2 to validate, 1 without labels; read only."""
    root = tmp_path_factory.mktemp("street_scenes") / "data"
    return make_street_scenes(
        root, num_train=8, num_val=2, num_test=1, size=(64, 128), progress=False
    )


@pytest.fixture(scope="session")
def scenes(tmp_path_factory) -> Path:
    """Street scenes of default size, but fewer; read only."""
    root = tmp_path_factory.mktemp("scenes") / "data"
    return make_street_scenes(root, num_train=24, num_val=12, num_test=3, progress=False)


@pytest.fixture(scope="session")
def load_tool() -> Callable[[str], Callable]:
    """Gives the ``main`` of tools/<name>.py, or of a module ``projects.<name>``."""

    def load(name):
        if name.startswith("projects."):
            return importlib.import_module(name).main
        path = REPOSITORY / "tools" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"tool_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.main

    return load


@pytest.fixture(scope="session")
def exit_code(load_tool) -> Callable[..., int]:
    """Gives the code that the process of tools/<name>.py ends with, run in this one."""

    def run(name, *arguments):
        main = load_tool(name)
        with pytest.raises(SystemExit) as left:
            run_tool(lambda: main(list(map(str, arguments))))
        return left.value.code

    return run


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
    """Keeps what shares a training or a submission on one worker of pytest-xdist."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            for name in ("trained", "trained_classifier", "undisturbed"):
                if name in getattr(item, "fixturenames", ()):
                    group = f"{item.path.stem} {name}" if name == "undisturbed" else name
                    item.add_marker(pytest.mark.xdist_group(group))
                    break
