"""Command lines of all tools, run in this process: they end with a code and at most one line.

A tool that begins to train would take seconds, so those that do get what they refuse before.
"""

import contextlib
import importlib
import importlib.util
import io
import json
import os
import shlex
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmseg.visualization import SegLocalVisualizer

from glore_seg.cli import run_tool
from tests.fixtures import REPOSITORY
from tests.mutations import networks
from tests.mutations.mutate import HARMLESS_WORDS, Files, mutate_tokens
from tests.mutations.readers.images import images
from tests.mutations.rule import Reader, expect

_DATA = "projects.synthetic_data"
_LINES = {
    "projects.reproduction.ablation.__main__": "none.py --gather-only --seeds 0 --out out",
    "analysis/class_balance": "small.py --split val --json out/a.json --plot out/a.png",
    "projects.reproduction.paper_tables": "--tables table2 --json --plot none.png",
    "browse_dataset": "small.py --out-dir out --split val --num-images 1 --seed 0",
    "check_submission": "a.zip --data-root data --split val --quiet",
    "dataset_converters/camvid": "data out --quiet",
    "dataset_converters/cityscapes": "data --allow-incomplete --check-only --nproc 1",
    "dataset_converters/kinetics": "a.csv --videos data --out out --min-frames 3 --nproc 1",
    "dataset_converters/labels": "data out --map 255=1 --suffix .png --quiet",
    f"{_DATA}.moving_shapes": "out --num-train 1 --num-val 1 --size 32 32",
    f"{_DATA}.object_crops": "data out --size 32 --min-side 1 --num-train 1 --num-val 1",
    "dataset_converters/pack": "data out --splits train --num-classes 19 --nproc 1 --quiet",
    f"{_DATA}.street_scenes.__main__": "out --num-train 1 --num-val 1 --num-test 0 --size 64 128",
    "export": "small.py none.pth --out out/a.onnx --format onnx --size 32 32 --opset 18",
    "get_flops": "small.py --shape 32 64 --depth 2 --json",
    "model_converters/convert": "authors a.pth out/b.pth --config small.py --head-only",
    "model_converters/hub": "save small.py a.pth out --overwrite",
    "predict": "a.pth a.png --out out --label-format train --opacity 0.5 --device cpu",
    "report": "none --out out/a.html",
    "submit": "small.py none.pth --out out/a.zip --split val",
    "test": "small.py none.pth --work-dir out",
    "train": "small.py --work-dir out --resume none.pth --launcher none",
    "visualize": "compare --model small.py none.pth --out out/a.png",
    "projects.web_demo.__main__": "--checkpoint none.pth --port 7860 --max-megabytes 20",
}
"""A tool, and a command line of it that ends soon."""

_ODD_WORDS = (
    *("a.png", "small.py", "data", ".", "none", "none/none", "a.pth", "a.zip", "empty", "-"),
    *("--help", "--no-such-option", "--", "-1", "1", "1e9", "--cfg-options", "a=1"),
    *HARMLESS_WORDS,
)


def _draw(rng: Random) -> Files:
    tool = rng.choice(sorted(_LINES))
    words = mutate_tokens(rng, shlex.split(_LINES[tool]), _ODD_WORDS)
    return {"line.json": json.dumps([tool, *words]).encode()}


@cache
def _main_of(tool: str) -> Callable[[list[str]], object]:
    if tool.startswith("projects."):
        return importlib.import_module(tool).main
    path = REPOSITORY / "tools" / f"{tool}.py"
    spec = importlib.util.spec_from_file_location(f"mutated_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def _load_all() -> None:
    for tool in _LINES:
        _main_of(tool)


def _run(folder: Path) -> None:
    tool, *words = json.loads((folder / "line.json").read_text())
    (folder / "small.py").write_text(networks.small_config().pretty_text)
    config = networks.used_config().pretty_text
    (folder / "a.pth").write_bytes(networks.checkpoint_with(config))
    (folder / "a.png").write_bytes(images()[0])
    (folder / "a.zip").touch()
    (folder / "a.csv").write_text("a,b\n")
    for name in ("data", "empty"):
        (folder / name).mkdir()
    before = {file: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    said, environment = io.StringIO(), dict(os.environ)
    try:
        with (
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            run_tool(lambda: _main_of(tool)(words))
    except SystemExit as end:
        _check_end(tool, end.code, said.getvalue())
    finally:
        os.environ.clear()
        os.environ.update(environment)
        for kind in (
            DefaultScope,
            MessageHub,
            MMLogger,
            SegLocalVisualizer,
        ):  # one a process and name
            kind._instance_dict.clear()
    changed = [file.name for file, content in before.items() if file.read_bytes() != content]
    expect(not changed, tool, words, "changed", changed)


def _check_end(tool: str, code: object, said: str) -> None:
    expect(code in (0, 1, 2), tool, "ended with", code)
    lines = [line for line in said.splitlines() if "error: " in line]
    expect(
        "Traceback" not in said and (len(lines) == 1 or (not lines and code != 2)),
        tool,
        code,
        said[-600:],
    )
    expect(all(len(line) <= 3000 for line in lines), tool, "said a long line")


READERS = (
    Reader(
        "command line of a tool",
        _draw,
        _run,
        share=4,
        allowed=("subprocess.Popen",),  # mmengine's report of the environment asks gcc
        warm=_load_all,
    ),
)
