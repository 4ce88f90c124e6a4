"""The tools that are killed, and what is compared of their results."""

import json
import os
import subprocess
import sys
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from benchmarks.kills.checkpoints import compare, compare_files, differences
from glore_seg.apis import load_config
from glore_seg.datasets.packed import INDEX, PIXELS, Entry, read_index
from glore_seg.engine import build_model
from glore_seg.utils.files import corruption_reason
from projects.synthetic_data.street_scenes import make_street_scenes

REPOSITORY = Path(__file__).parents[2]
SAID = "stderr.txt"  # in a run's folder: what its last process said
CONFIG = REPOSITORY / "configs" / "fcn_r18_glore_street-scenes.py"


class Work(ABC):
    """One tool at work on some 10 s of work for one core.

    Args:
        folder: For what all of its runs read; made here.
    """

    name: str
    patterns: tuple[str, ...] = ()
    """Files of a run's folder that must equal those of the undisturbed run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.prepare()

    def start(self, place: Path) -> subprocess.Popen:
        """Start it as a user would, first or again; ``place`` is the folder of one run."""
        place.mkdir(parents=True, exist_ok=True)
        with (place / SAID).open("wb") as said:  # a pipe that nobody reads would fill up
            return subprocess.Popen(  # noqa: S603  the command is ours
                [sys.executable, *map(str, self.command(place))],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    @abstractmethod
    def prepare(self) -> None:
        """Make what all runs read."""

    @abstractmethod
    def command(self, place: Path) -> list[object]:
        """The command line behind ``python``."""

    @abstractmethod
    def mark(self, place: Path) -> object:
        """Something that changes when a process that was started starts its work."""

    def done(self, place: Path) -> float:
        """Share of the work that need not be done again."""
        return 0.0

    def watch(self, place: Path) -> None:  # noqa: B027  most have nothing to look at
        """Look at an undisturbed run while it works."""

    def corrupted(self, place: Path, undisturbed: Path) -> Iterator[str]:
        """Files that look valid and are not what the undisturbed run has made."""
        for pattern in self.patterns:
            yield from other_files(place, undisturbed, pattern)

    def differences(self, place: Path, undisturbed: Path) -> Iterator[str]:
        """What is not the same at the end."""
        for pattern in self.patterns:
            yield from same_files(place, undisturbed, pattern)


def unfinished(place: Path) -> list[str]:
    """Files and folders that are being written, or were when a process was killed."""
    return sorted(str(path) for path in place.rglob(".*unfinished*"))


def other_files(found: Path, wanted: Path, pattern: str) -> Iterator[str]:
    """Files of a folder that another lacks or has with other bytes; hidden ones don't count."""
    for path in sorted(found.glob(pattern)):
        other = wanted / path.relative_to(found)
        if not other.is_file() or path.read_bytes() != other.read_bytes():
            yield str(path)


def same_files(found: Path, wanted: Path, pattern: str) -> Iterator[str]:
    """What differs between two folders: names or bytes."""
    for path in sorted(wanted.glob(pattern)):
        if not (found / path.relative_to(wanted)).exists():
            yield f"no {path.relative_to(wanted)} in {found}"
    yield from other_files(found, wanted, pattern)


class Training(Work):
    """tools/train.py with workers, augmentation, dropout, average, schedule, best checkpoint."""

    name = "training"
    iterations = 24
    settings = """
_base_ = {base!r}
custom_hooks = [dict(type="EMAHook", momentum=0.1)]
data = dict(num_workers=2, persistent_workers=True, dataset=dict(data_root={data!r}))
train_dataloader = dict(batch_size=2, **data)
val_dataloader = dict(**data)
train_cfg = dict(max_iters={iters}, val_interval=8)
param_scheduler = [dict(type="PolyLR", power=0.9, begin=0, end={iters}, by_epoch=False)]
default_hooks = dict(
    checkpoint=dict(interval=2, max_keep_ckpts=2, save_best="mIoU"), logger=dict(interval=1)
)
randomness = dict(seed=0)
"""

    def prepare(self) -> None:
        data = make_street_scenes(
            self.folder / "data", num_train=6, num_val=2, num_test=1, progress=False
        )
        text = self.settings.format(base=str(CONFIG), data=str(data), iters=self.iterations)
        (self.folder / "small.py").write_text(text)

    def command(self, place: Path) -> list[object]:
        tool = [REPOSITORY / "tools" / "train.py", self.folder / "small.py"]
        return [*tool, "--resume", "--work-dir", place / "work_dir"]

    def mark(self, place: Path) -> object:
        """Lines in all logs: there is one more after the first iteration."""
        logs = place.glob("work_dir/*/vis_data/scalars.json")
        return sum(log.read_bytes().count(b"\n") for log in logs)

    def done(self, place: Path) -> float:
        saved = (int(path.stem[5:]) for path in place.glob("work_dir/iter_*.pth"))
        return max(saved, default=0) / self.iterations

    def watch(self, place: Path) -> None:
        """Keep every checkpoint, for those of killed runs.

        The one before a validation is written again after it, with what the best one is.
        """
        for path in place.glob("work_dir/[!.]*.pth"):
            with suppress(FileNotFoundError):  # it was removed, or replaced, just now
                kept = place / "kept" / path.name / str(path.stat().st_ino)
                if not kept.exists():
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    os.link(path, kept)

    def corrupted(self, place: Path, undisturbed: Path) -> Iterator[str]:
        for path in place.glob("work_dir/[!.]*.pth"):
            reason = corruption_reason(path)
            kept = list((undisturbed / "kept" / path.name).glob("*"))
            if reason is None and not any(not list(compare_files(one, path)) for one in kept):
                reason = "the undisturbed run has had no such checkpoint"
            if reason:
                yield f"{path}: {reason}"
        last = place / "work_dir" / "last_checkpoint"
        if last.exists() and not Path(last.read_text()).is_file():
            yield f"{last}: {last.read_text()!r}"

    def differences(self, place: Path, undisturbed: Path) -> Iterator[str]:
        yield from compare(undisturbed / "work_dir", place / "work_dir")
        losses = [_losses(folder / "work_dir") for folder in (undisturbed, place)]
        if losses[0] != losses[1] or len(losses[0]) != self.iterations:
            yield f"losses that were logged: {losses}"


def _losses(work_dir: Path) -> dict[int, float]:
    """Iteration to loss, of all runs of a work folder; a kill may cut the last line of one."""
    lines = [
        json.loads(line)
        for log in sorted(work_dir.glob("*/vis_data/scalars.json"))
        for line in log.read_text().split("\n")[:-1]
    ]
    return {line["iter"]: line["loss"] for line in lines if "loss" in line}


class _Prediction(Work):
    """A tool that predicts images with a network that doesn't give one class everywhere."""

    split: str
    images = 24

    def prepare(self) -> None:
        numbers = {"num_train": 1, "num_val": 1, "num_test": 1, f"num_{self.split}": self.images}
        make_street_scenes(self.folder / "data", **numbers, progress=False)
        torch.manual_seed(0)
        model = build_model(load_config(str(CONFIG)))
        torch.nn.init.normal_(model.decode_head.conv_seg.weight)
        torch.save({"state_dict": model.state_dict()}, self.folder / "untrained.pth")

    def tool(self, name: str, *options: object) -> list[object]:
        data = f"test_dataloader.dataset.data_root={self.folder / 'data'}"
        workers = ("test_dataloader.num_workers=0", "test_dataloader.persistent_workers=False")
        weights = self.folder / "untrained.pth"
        tool = REPOSITORY / "tools" / name
        return [tool, CONFIG, weights, *options, "--cfg-options", data, *workers]


class Evaluation(_Prediction):
    """tools/test.py, with predictions and painted images in folders; it begins anew."""

    name, split = "evaluation", "val"
    patterns = ("predictions/[!.]*", "painted/vis_data/vis_image/[!.]*")

    def command(self, place: Path) -> list[object]:
        folders = {"work-dir": "work_dir", "out": "predictions", "show-dir": "painted"}
        return self.tool("test.py", *(f"--{k}={place / name}" for k, name in folders.items()))

    def mark(self, place: Path) -> object:
        """When the last image was written."""
        return max((p.stat().st_mtime_ns for p in place.glob("predictions/[!.]*")), default=0)

    def corrupted(self, place: Path, undisturbed: Path) -> Iterator[str]:
        yield from super().corrupted(place, undisturbed)
        yield from _other_scores(place, undisturbed)

    def differences(self, place: Path, undisturbed: Path) -> Iterator[str]:
        yield from super().differences(place, undisturbed)
        if not _scores(place):
            yield f"no scores in {place}"
        yield from _other_scores(place, undisturbed)


def _other_scores(place: Path, undisturbed: Path) -> Iterator[str]:
    """What differs; a run that was killed at its very end may have left scores, too."""
    (wanted,) = _scores(undisturbed).values()
    for path, found in _scores(place).items():
        yield from differences(wanted, found, str(path))


def _scores(place: Path) -> dict[Path, Any]:
    """What can be read of the files with scores, but for the time that an image took."""
    scores = {}
    for path in place.glob("work_dir/*/*.json"):
        with suppress(ValueError):  # nobody takes it for valid
            found = json.loads(path.read_text())
            scores[path] = {key: value for key, value in found.items() if "time" not in key}
    return scores


class Submission(_Prediction):
    """tools/submit.py with sliding windows; it goes on with the images that are not there yet."""

    name, split = "submission", "test"
    patterns = ("results_images/images/[!.]*", "results.zip")

    def command(self, place: Path) -> list[object]:
        out = place / "results.zip"
        windows = ("--mode", "slide", "--crop-size", "64", "64", "--stride", "24", "24")
        overwrite = ["--overwrite"] if out.exists() else []
        return self.tool("submit.py", "--out", out, *windows, *overwrite)

    def mark(self, place: Path) -> object:
        """When the note of the settings was written, which each start does."""
        note = place / "results_images" / "submission.json"
        return note.stat().st_mtime_ns if note.exists() else 0

    def done(self, place: Path) -> float:
        return len(list(place.glob(self.patterns[0]))) / self.images


class Packing(Work):
    """tools/dataset_converters/pack.py on few images under many names, in two processes.

    It goes on from its last index, which is kept more often here than by the tool: a run of seconds
    has something to go on from.
    """

    name = "packing"
    patterns = ("pack/[!.]*",)
    images = 250
    shape = (512, 1024)
    code = """
import runpy, sys
from glore_seg.datasets.packed import writer
writer._SECONDS_BETWEEN_INDICES = 1.0
sys.argv[:] = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

    def prepare(self) -> None:
        numbers = {"num_train": 6, "num_val": 1, "num_test": 1}
        drawn = make_street_scenes(
            self.folder / "drawn", **numbers, size=self.shape, progress=False
        )
        for kind, suffix in (("leftImg8bit", ""), ("gtFine", "_labelTrainIds")):
            stored = sorted((drawn / kind / "train").glob(f"*/*_{kind}{suffix}.png"))
            link = self.folder / "data" / kind / "train" / "bonn"
            link.mkdir(parents=True)
            for number in range(self.images):
                name = f"bonn_{number:06d}_000019_{kind}{suffix}.png"
                os.link(stored[number % len(stored)], link / name)

    def command(self, place: Path) -> list[object]:
        tool = REPOSITORY / "tools" / "dataset_converters" / "pack.py"
        folders = (self.folder / "data", place / "pack")
        return ["-c", self.code, tool, *folders, "--nproc", 2, "--quiet"]

    def mark(self, place: Path) -> object:
        """When the index was written, which each start does."""
        index = place / "pack" / INDEX
        return index.stat().st_mtime_ns if index.exists() else 0

    def done(self, place: Path) -> float:
        return len(_entries(place)) / self.images

    def corrupted(self, place: Path, undisturbed: Path) -> Iterator[str]:
        wanted = _entries(undisturbed)
        entries = _entries(place)
        for name, entry in entries.items():
            if wanted[name] != entry:
                yield f"{name}: {entry}, not {wanted[name]}"
        if not entries:
            return
        with (place / "pack" / PIXELS).open("rb") as pixels:
            for name, entry in entries.items():
                pixels.seek(entry.offset)
                if zlib.crc32(pixels.read(entry.size)) != entry.crc32:
                    yield f"{name}: the checksum of its pixels is another"


def _entries(place: Path) -> dict[str, Entry]:
    """What a pack says that it holds, whole or not."""
    pack = place / "pack"
    return read_index(pack, unfinished=True) if (pack / INDEX).exists() else {}


WORKS = {work.name: work for work in (Training, Evaluation, Packing, Submission)}
