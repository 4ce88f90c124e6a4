"""Command lines of all tools, run in this process: they end with a code and at most one line.

A tool that begins to train would take seconds, so those that do get what they refuse before.
"""

from __future__ import annotations

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
from typing import Any

from hypothesis import strategies as st
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer

from glore_seg.cli import run_tool
from tests.fixtures import REPOSITORY
from tests.mutations import networks
from tests.mutations.readers.images import images
from tests.mutations.rule import Files, Nonsense, Reader
from tests.mutations.strategies import WORDS

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

_PLACES = ("a.png", "small.py", "data", ".", "none", "none/none", "a.pth", "a.zip", "empty", "-")
_ODD_WORDS = (
    *_PLACES,
    "--help",
    "--no-such-option",
    "--",
    "-1",
    "1",
    "1e9",
    "--cfg-options",
    "a=1",
)


@st.composite
def _command_lines(draw: Any) -> Files:
    tool = draw(st.sampled_from(sorted(_LINES)))
    words = shlex.split(_LINES[tool])
    odd = st.sampled_from((*_ODD_WORDS, *(w for w in WORDS if "canary" not in w)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(words) - 1)))
        kind = draw(st.sampled_from(("put", "put", "drop", "double", "insert")))
        if kind == "put":
            words[place : place + 1] = [draw(odd)]
        elif kind == "drop":
            del words[place : place + 1]
        elif kind == "double":
            words[place:place] = words[place : place + 1]
        else:
            words.insert(place, draw(odd))
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
    (folder / "small.py").write_text(networks.whole_text())
    (folder / "a.pth").write_bytes(networks.checkpoint_with(networks.config_text()))
    (folder / "a.png").write_bytes(images()[0])
    (folder / "a.zip").write_bytes(b"")
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
        for kind in (DefaultScope, MessageHub, MMLogger, Visualizer):  # one a process and name
            kind._instance_dict.clear()
    changed = [file.name for file, content in before.items() if file.read_bytes() != content]
    if changed:
        raise Nonsense(f"{tool} {words} changed {changed}")


def _check_end(tool: str, code: object, said: str) -> None:
    if not isinstance(code, int) or code not in (0, 1, 2):
        raise Nonsense(f"{tool} ended with {code!r}")
    lines = [line for line in said.splitlines() if "error: " in line]
    if "Traceback" in said or len(lines) > 1 or (code == 2 and len(lines) != 1):
        raise Nonsense(f"{tool} ended with {code} and said {said[-600:]!r}")
    if any(len(line) > 3000 for line in lines if line.startswith("error: ")):
        raise Nonsense(f"{tool} said a line of {max(map(len, lines))} characters")


READERS = (
    Reader(
        "command line of a tool",
        _command_lines,
        _run,
        share=4,
        allowed=("subprocess.Popen",),  # mmengine's report of the environment asks gcc
        warm=_load_all,
    ),
)
