"""A small copy of the project in which the commands of the docs run, in this process.

The tools, the configs and what they do are real; images, crops and lengths of training are small,
and datasets are made of a few street scenes.
"""

import argparse
import configparser
import contextlib
import importlib
import io
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from mmengine.config import Config

from glore_seg.engine import build_model
from glore_seg.layers import PreActNet
from projects.synthetic_data.street_scenes import make_street_scenes
from tests.checkpoints.files import write_pdparams
from tests.configs.shrinking import shrink_sizes, shrink_video_sizes
from tests.datasets.conftest import write_camvid
from tests.datasets.video.files import write_clip
from tests.docs.blocks import ROOT
from tests.reference import paddleseg

# What makes a command small, beside what the docs say.
_SMALL = {
    "projects.synthetic_data.street_scenes": [
        *("--num-train", "4", "--num-val", "2", "--num-test", "1", "--size", "64", "128")
    ],
    # Any eight scenes in a row hold all classes, which a classifier needs.
    "projects.synthetic_data.street_scenes data/crop_scenes": ["--num-train", "8", "--num-val=8"],
    "projects.synthetic_data.object_crops": [
        *("--num-train", "2", "--num-val", "1", "--size", "32", "--min-side", "1")
    ],
    "projects.synthetic_data.moving_shapes": ["--num-train", "4", "--num-val", "2"],
    "dataset_converters/kinetics": ["--nproc", "1"],
    "dataset_converters/cityscapes": ["--allow-incomplete"],
    "benchmarks.gpu": ["--rehearse"],
    "projects.reproduction.paper_tables": ["--tables", "figure4"],
}

# What runs to its end; of the other modules only the options are read.
_RUN_WHOLE = {
    "projects.reproduction.scaling",
    "projects.synthetic_data.moving_shapes",
    "projects.synthetic_data.object_crops",
    "projects.synthetic_data.street_scenes",
}

_LENGTH = 2  # iterations
_VIDEO_WIDTH = 4  # channels in the middle of a 3D network's first blocks


def _small(name: str, options: list[str]) -> list[str]:
    first = f"{name} {options[0]}" if options else ""
    return [*options, *_SMALL.get(name, []), *_SMALL.get(first, [])]


class Project:
    """Runs commands in an empty folder, which it makes look like a checkout."""

    def __init__(self, folder: Path, load_tool: Callable[[str], Callable]) -> None:
        self.folder = folder
        self._load_tool = load_tool
        (folder / "tools").symlink_to(ROOT / "tools")
        # Not a link: examples write configs of their own.
        shutil.copytree(ROOT / "configs", folder / "configs")

    def run(self, words: list[str]) -> None:
        """Run one command as the docs have it."""
        program, *arguments = words
        arguments = [self._placeholder(word, arguments) for word in arguments]
        for path in arguments:
            self.provide(path)
        if program == "make":
            self._make(*arguments)
        elif program == "pip":
            self._pip(arguments)
        elif program == "python":
            self._python(arguments)
        elif program.startswith("tools/dist_"):
            self._launcher(program, arguments)
        elif program != "apt-get" and words != ["source", ".venv/bin/activate"]:
            raise ValueError(f"no way to try {words}")

    def _python(self, arguments: list[str]) -> None:
        first, *rest = arguments
        if first == "-m" and rest[0] == "glore_seg.compat":
            runpy.run_module(rest[0], run_name="__main__")
        elif first == "-m":
            name, *options = rest
            module = importlib.import_module(name)
            if hasattr(module, "__path__"):
                module = importlib.import_module(f"{name}.__main__")
            if name in _RUN_WHOLE:
                self.provide_data()
                module.main(_small(name, options))
            else:
                self._options_of(module.main, _small(name, options))
        else:
            name = first.removeprefix("tools/").removesuffix(".py")
            self._tool(name, rest)

    def _tool(self, name: str, arguments: list[str]) -> None:
        self.provide_data()
        code = self._load_tool(name)(_small(name, arguments))
        if isinstance(code, int) and code:
            raise RuntimeError(f"tools/{name}.py ended with {code}")
        if name == "train":
            _name_as_if_long(self.folder)

    def _launcher(self, script: str, arguments: list[str]) -> None:
        """What each process of a launcher does, by one; tests/tools/test_dist.py launches."""
        name = re.fullmatch(r"tools/dist_(\w+)\.sh", script)
        if name is None or not (ROOT / script).is_file():
            raise ValueError(f"there is no {script}")
        before = {"train": 1, "test": 2, "submit": 2}[name[1]]
        int(arguments[before])  # the number of processes
        self._tool(name[1], arguments[:before] + arguments[before + 1 :])

    @staticmethod
    def _options_of(main: Callable, arguments: list[str]) -> None:
        """Parse the options of what takes long; tests/benchmarks and projects run it."""
        parse = argparse.ArgumentParser.parse_args

        class Parsed(Exception):
            pass

        def parse_and_stop(*given: Any, **options: Any) -> None:
            parse(*given, **options)
            raise Parsed

        stopped = mock.patch.object(argparse.ArgumentParser, "parse_args", parse_and_stop)
        with contextlib.suppress(Parsed), stopped:
            main(arguments)
            raise AssertionError(f"{main.__module__} has no options")

    def _make(self, *targets: str) -> None:
        done = subprocess.run(
            ["make", "-C", str(ROOT), "--dry-run", *targets], capture_output=True, text=True
        )
        if done.returncode:
            raise ValueError(done.stderr)
        if "demo" in targets:
            self._demo()

    @staticmethod
    def _pip(arguments: list[str]) -> None:
        """Every extra that is named exists; `make env` installs them all."""
        setup = configparser.ConfigParser()
        setup.read(ROOT / "setup.cfg")
        known = set(setup["options.extras_require"])
        for word in arguments:
            found = re.search(r"\[([\w,]+)\]", word)
            unknown = set(found[1].split(",")) - known if found else set()
            if unknown:
                raise ValueError(f"pip {arguments}: no extra {unknown}")

    def _placeholder(self, word: str, arguments: list[str]) -> str:
        """A word as it is; for CHECKPOINT, untrained weights for the config among the arguments."""
        if word != "CHECKPOINT":
            return word
        config = next(a for a in arguments if a.startswith("configs/"))
        path = self.folder / "checkpoints" / f"{Path(config).stem}.pth"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            model = build_model(Config.fromfile(self.folder / config))
            torch.save({"state_dict": model.state_dict(), "meta": {}}, path)
        return str(path)

    def provide(self, path: str) -> None:
        """Make what an example needs and does not make itself."""
        there = self.folder / path
        if there.exists():
            return
        if path.endswith(".pdparams"):
            write_pdparams(there, paddleseg.random_state(50))
        elif path == "path/to/camvid":
            write_camvid(there)
        elif path == "train.csv":
            _write_kinetics(self.folder)
        elif path == "model.backbone.pretrained=resnet50-lite.pth":
            net = PreActNet("resnet50", stem="5x5", width=_VIDEO_WIDTH / 64)
            torch.save({"state_dict": net.state_dict()}, self.folder / "resnet50-lite.pth")
        elif path.startswith("demo_output/"):
            self._demo()
        elif path == "work_dirs/fcn_r50_glore_cityscapes":
            self._tool("train", ["configs/fcn_r50_glore_cityscapes.py"])

    def provide_data(self) -> None:
        """Street scenes as every dataset in the layout of Cityscapes, and a folder of images."""
        data = self.folder / "data"
        if data.exists():
            return
        data.mkdir()
        for name in ("street_scenes", "cityscapes", "camvid"):
            make_street_scenes(
                data / name, num_train=4, num_val=2, num_test=1, size=(64, 128), progress=False
            )
        for split in ("train", "val"):
            _write_plain_folders(data / "cityscapes", data / "mine", split)

    def _demo(self) -> None:
        """What the examples read of `make demo`, from a training of two iterations."""
        if (self.folder / "demo_output").exists():
            return
        demo = self.folder / "demo_output"
        self.provide_data()
        shutil.copytree(self.folder / "data" / "street_scenes", demo / "street_scenes")
        options = [
            f"{split}_dataloader.dataset.data_root={demo / 'street_scenes'}"
            for split in ("train", "val", "test")
        ]
        arguments = ["configs/fcn_r18_glore_street-scenes.py", "--work-dir", demo / "work_dir"]
        self._tool("train", [*map(str, arguments), "--cfg-options", *options])
        image = next((demo / "street_scenes").rglob("*_leftImg8bit.png"))
        shutil.copyfile(image, demo / "panel.png")


@contextlib.contextmanager
def small_configs(folder: Path):
    """While it lasts, every config that is read is small; the command line goes over it."""
    original = Config.fromfile

    def fromfile(filename: str | Path, *arguments: object, **options: object) -> Config:
        cfg = original(filename, *arguments, **options)
        if "train_dataloader" in cfg and "model" in cfg and "data_preprocessor" in cfg.model:
            if cfg.get("default_scope") == "mmaction":
                shrink_video_sizes(cfg)
                cfg.default_hooks.logger.interval = 1
            else:
                shrink_sizes(cfg)
            _narrow(cfg)
            small_configs.length = cfg.train_cfg.max_iters
            cfg.train_cfg.update(max_iters=_LENGTH, val_interval=100)
            cfg.default_hooks.checkpoint.update(interval=100)
        if "train_dataloader" in cfg and "model" in cfg:
            # mmengine keeps one visualizer and one message hub a name in a process.
            small_configs.count += 1
            cfg.experiment_name = f"{folder.name}_{small_configs.count}"
            cfg.visualizer.name = cfg.experiment_name
        return cfg

    Config.fromfile = staticmethod(fromfile)
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        Config.fromfile = staticmethod(original)


small_configs.count = 0
small_configs.length = _LENGTH


def _name_as_if_long(folder: Path) -> None:
    """Give last checkpoints the name that the config's own length makes."""
    for last in folder.rglob(f"iter_{_LENGTH}.pth"):
        name = last.with_name(f"iter_{small_configs.length}.pth")
        if not name.exists():
            name.symlink_to(last.name)


def _narrow(cfg: Config) -> None:
    """A quarter of the width, where backbone and head are those of the main configs."""
    backbone, head = cfg.model.backbone, cfg.model.get("decode_head", {})
    kinds = (backbone.get("type"), head.get("type"), head.get("in_channels"))
    # PaddleSeg's networks, of variant v1d, take weights of their own width.
    if kinds == ("GloReResNet", "GloReHead", 2048) and backbone.variant != "v1d":
        backbone.update(base_channels=16, stem_channels=16)
        head.update(in_channels=512, channels=64, num_nodes=16)
    if backbone.get("type") == "GloReVideoResNet":
        backbone.base_channels = _VIDEO_WIDTH
        cfg.model.cls_head.in_channels = 32 * _VIDEO_WIDTH


def run_python(text: str, folder: Path, names: dict) -> None:
    """Run a block of Python; one whose first line is ``# file.py`` becomes that file."""
    first = text.splitlines()[0]
    file = re.fullmatch(r"# ([\w/.-]+\.py)", first)
    if file is None:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, "<docs>", "exec"), names)
        return
    path = folder / file[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if path.parent.name == "configs":
        cfg = Config.fromfile(path)
        build_model(cfg)
        if "tta_pipeline" in cfg:
            own, tta = map(_label_steps, (cfg.test_dataloader.dataset.pipeline, cfg.tta_pipeline))
            if own != tta:
                raise ValueError(f"the test loads labels by {own}, --tta by {tta}")
    sys.path_importer_cache.clear()


def _label_steps(part: object) -> list[dict]:
    """All steps that load labels, at any depth."""
    if isinstance(part, dict) and "Annotations" in str(part.get("type")):
        return [part]
    parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [step for one in parts for step in _label_steps(one)]


def _write_plain_folders(scenes: Path, target: Path, split: str) -> None:
    """The same scenes as folders of .jpg images and labels of three classes."""
    import cv2
    import numpy as np

    for folder in ("images", "labels"):
        (target / folder / split).mkdir(parents=True, exist_ok=True)
    for image in sorted((scenes / "leftImg8bit" / split).rglob("*.png")):
        stem = image.name.removesuffix("_leftImg8bit.png")
        cv2.imwrite(str(target / "images" / split / f"{stem}.jpg"), cv2.imread(str(image)))
        label = scenes / "gtFine" / split / image.parent.name / f"{stem}_gtFine_labelTrainIds.png"
        classes = cv2.imread(str(label), cv2.IMREAD_UNCHANGED)
        classes = np.where(classes == 255, 255, classes % 3).astype(np.uint8)
        cv2.imwrite(str(target / "labels" / split / f"{stem}.png"), classes)


def _write_kinetics(folder: Path) -> None:
    """Two videos a split and the CSV files that list them."""
    for split in ("train", "val"):
        videos = folder / "data/kinetics400" / f"videos_{split}"
        rows = ["label,youtube_id,time_start,time_end,split"]
        for label in ("archery", "yoga"):
            write_clip(videos / f"{split}_{label}_000001_000011.mp4")
            rows.append(f"{label},{split}_{label},1,11,{split}")
        (folder / f"{split}.csv").write_text("\n".join(rows) + "\n")
