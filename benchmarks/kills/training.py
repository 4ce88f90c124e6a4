"""tools/train.py, with all that may go wrong between two checkpoints."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.kills.checkpoints import compare, compare_files
from benchmarks.kills.work import CONFIG, REPOSITORY, Work
from glore_seg.utils.files import corruption_reason
from projects.synthetic_data.street_scenes import make_street_scenes

SETTINGS = """
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


class Training(Work):
    """With data workers, augmentation, dropout, average, schedule, retention, best checkpoint."""

    name = "training"
    size = 24

    def prepare(self) -> None:
        data = make_street_scenes(
            self.folder / "data", num_train=6, num_val=2, num_test=1, progress=False
        )
        text = SETTINGS.format(base=str(CONFIG), data=str(data), iters=self.size)
        (self.folder / "small.py").write_text(text)

    def command(self, place: Path) -> list[object]:
        tool = [REPOSITORY / "tools" / "train.py", self.folder / "small.py"]
        return [*tool, "--resume", "--work-dir", place / "work_dir"]

    def mark(self, place: Path) -> object:
        """Lines in all logs: there is one more after the first iteration."""
        logs = place.glob("work_dir/*/vis_data/scalars.json")
        return sum(log.read_bytes().count(b"\n") for log in logs)

    def done(self, place: Path) -> int:
        found = (int(path.stem[5:]) for path in place.glob("work_dir/iter_*.pth"))
        return max(found, default=0)

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
        if losses[0] != losses[1] or len(losses[0]) != self.size:
            yield f"losses that were logged: {losses}"


def _losses(work_dir: Path) -> dict[int, float]:
    """Iteration to loss, of all runs of a work folder; a kill may cut the last line of one."""
    losses = {}
    for log in sorted(work_dir.glob("*/vis_data/scalars.json")):
        for line in log.read_text().split("\n")[:-1]:
            entry = json.loads(line)
            if "loss" in entry:
                losses[entry["iter"]] = entry["loss"]
    return losses
