"""tools/dataset_converters/pack.py, which goes on from its last index."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.kills.work import REPOSITORY, Work, same_files
from glore_seg.datasets.packed import INDEX, PIXELS, Entry, read_index
from projects.synthetic_data.street_scenes import make_street_scenes

_DRAWN = 6
_SECONDS_BETWEEN_INDICES = 1.0
# As the tool, with an index that is kept more often: a run of seconds has something to go on from.
_CODE = """
import runpy, sys
from glore_seg.datasets.packed import writer
writer._SECONDS_BETWEEN_INDICES = {seconds}
sys.argv[:] = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Packing(Work):
    """Few images under many names, in two processes."""

    name = "packing"
    size = 250
    shape = (512, 1024)

    def prepare(self) -> None:
        drawn = make_street_scenes(
            self.folder / "drawn",
            num_train=_DRAWN,
            num_val=1,
            num_test=1,
            size=self.shape,
            progress=False,
        )
        for number in range(self.size):
            for kind, suffix in (("leftImg8bit", ""), ("gtFine", "_labelTrainIds")):
                stored = sorted((drawn / kind / "train").glob(f"*/*_{kind}{suffix}.png"))
                link = self.folder / "data" / kind / "train" / "bonn"
                link.mkdir(parents=True, exist_ok=True)
                name = f"bonn_{number:06d}_000019_{kind}{suffix}.png"
                os.link(stored[number % _DRAWN], link / name)

    def command(self, place: Path) -> list[object]:
        code = _CODE.format(seconds=_SECONDS_BETWEEN_INDICES)
        tool = REPOSITORY / "tools" / "dataset_converters" / "pack.py"
        return ["-c", code, tool, self.folder / "data", place / "pack", "--nproc", 2, "--quiet"]

    def mark(self, place: Path) -> object:
        """When the index was written, which each start does."""
        index = place / "pack" / INDEX
        return index.stat().st_mtime_ns if index.exists() else 0

    def done(self, place: Path) -> int:
        return len(_entries(place))

    def corrupted(self, place: Path, undisturbed: Path) -> Iterator[str]:
        wanted = _entries(undisturbed)
        entries = _entries(place)
        for name, entry in entries.items():
            if wanted[name] != entry:
                yield f"{name}: {entry}, not {wanted[name]}"
        if entries:
            yield from _other_pixels(place / "pack" / PIXELS, entries)

    def differences(self, place: Path, undisturbed: Path) -> Iterator[str]:
        yield from same_files(place, undisturbed, "pack/[!.]*")


def _entries(place: Path) -> dict[str, Entry]:
    """What a pack says that it holds, whole or not."""
    pack = place / "pack"
    return read_index(pack, unfinished=True) if (pack / INDEX).exists() else {}


def _other_pixels(path: Path, entries: dict[str, Entry]) -> Iterator[str]:
    with path.open("rb") as pixels:
        for name, entry in entries.items():
            pixels.seek(entry.offset)
            if zlib.crc32(pixels.read(entry.size)) != entry.crc32:
                yield f"{name}: the checksum of its pixels is another"
