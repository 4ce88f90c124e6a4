"""tools/submit.py, which goes on with the images that are not there yet."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.kills.untrained import write_untrained
from benchmarks.kills.work import CONFIG, REPOSITORY, Work, other_files, same_files
from projects.synthetic_data.street_scenes import make_street_scenes

WINDOWS = ("--mode", "slide", "--crop-size", "64", "64", "--stride", "24", "24")
IMAGES = "results_images/images/[!.]*"


class Submission(Work):
    """Sliding windows, so that predicting takes longer than all else."""

    name = "submission"
    size = 24

    def prepare(self) -> None:
        make_street_scenes(
            self.folder / "data", num_train=1, num_val=1, num_test=self.size, progress=False
        )
        write_untrained(self.folder / "untrained.pth")

    def command(self, place: Path) -> list[object]:
        out = place / "results.zip"
        return [
            *(REPOSITORY / "tools" / "submit.py", CONFIG, self.folder / "untrained.pth"),
            *("--out", out, *WINDOWS, *(["--overwrite"] if out.exists() else [])),
            *("--cfg-options", f"test_dataloader.dataset.data_root={self.folder / 'data'}"),
            "test_dataloader.num_workers=0",
        ]

    def mark(self, place: Path) -> object:
        """When the note of the settings was written, which each start does."""
        note = place / "results_images" / "submission.json"
        return note.stat().st_mtime_ns if note.exists() else 0

    def done(self, place: Path) -> int:
        return len(list(place.glob(IMAGES)))

    def corrupted(self, place: Path, undisturbed: Path) -> Iterator[str]:
        yield from other_files(place, undisturbed, IMAGES)
        yield from other_files(place, undisturbed, "results.zip")

    def differences(self, place: Path, undisturbed: Path) -> Iterator[str]:
        yield from same_files(place, undisturbed, IMAGES)
        yield from same_files(place, undisturbed, "results.zip")
