"""tools/test.py, with predictions and painted images in folders; it begins anew."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.kills.checkpoints import differences
from benchmarks.kills.untrained import write_untrained
from benchmarks.kills.work import CONFIG, REPOSITORY, Work, other_files, same_files
from projects.synthetic_data.street_scenes import make_street_scenes

IMAGES = ("predictions/[!.]*", "painted/vis_data/vis_image/[!.]*")


class Evaluation(Work):
    """Nothing is kept for a restart but what is written over: images."""

    name = "evaluation"
    size = 24

    def prepare(self) -> None:
        make_street_scenes(
            self.folder / "data", num_train=1, num_val=self.size, num_test=1, progress=False
        )
        write_untrained(self.folder / "untrained.pth")

    def command(self, place: Path) -> list[object]:
        return [
            *(REPOSITORY / "tools" / "test.py", CONFIG, self.folder / "untrained.pth"),
            *("--work-dir", place / "work_dir", "--out", place / "predictions"),
            *("--show-dir", place / "painted", "--cfg-options"),
            f"test_dataloader.dataset.data_root={self.folder / 'data'}",
            *("test_dataloader.num_workers=0", "test_dataloader.persistent_workers=False"),
        ]

    def mark(self, place: Path) -> object:
        """When the last image was written."""
        times = (path.stat().st_mtime_ns for path in place.glob("predictions/[!.]*"))
        return max(times, default=0)

    def done(self, place: Path) -> int:
        return 0

    def corrupted(self, place: Path, undisturbed: Path) -> Iterator[str]:
        for pattern in IMAGES:
            yield from other_files(place, undisturbed, pattern)
        yield from _other_scores(place, undisturbed)

    def differences(self, place: Path, undisturbed: Path) -> Iterator[str]:
        for pattern in IMAGES:
            yield from same_files(place, undisturbed, pattern)
        if not _scores(place):
            yield f"no scores in {place}"
        yield from _other_scores(place, undisturbed)


def _other_scores(place: Path, undisturbed: Path) -> Iterator[str]:
    """Names of what differs; a run that was killed at its very end may have left scores, too."""
    (wanted,) = _scores(undisturbed).values()
    for path, found in _scores(place).items():
        yield from differences(wanted, found, str(path))


def _scores(place: Path) -> dict[Path, Any]:
    """What can be read of the files with scores, but for the time that an image took."""
    scores = {}
    for path in place.glob("work_dir/*/*.json"):
        try:
            found = json.loads(path.read_text())
        except ValueError:
            continue  # nobody takes it for valid
        scores[path] = {key: value for key, value in found.items() if "time" not in key}
    return scores
