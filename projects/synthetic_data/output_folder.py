"""What the synthetic datasets share: options, checks, and a folder that records its settings."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from glore_seg.errors import ConfigError, OutputError
from glore_seg.utils.files import atomic_write
from glore_seg.utils.progress import track

Item = TypeVar("Item")


def dataset_parser(description: str | None, what: str, **numbers: int) -> argparse.ArgumentParser:
    """Return a parser of the common options, whose names are those of the functions' arguments.

    ``what`` is what the dataset holds, ``numbers`` are defaults of ``num_train`` and so on.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in numbers.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, default=default, help=f"{what} (default: {default})")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--overwrite", action="store_true", help=f"replace {what} made with other settings"
    )
    parser.add_argument("--quiet", dest="progress", action="store_false", help="show no progress")
    return parser


def check_not_negative(**values: int) -> None:
    """Raise a ConfigError if a count or a seed is negative."""
    for name, value in values.items():
        if value < 0:
            raise ConfigError(f"{name} is {value}; expected 0 or more")


@dataclass(frozen=True)
class DatasetFolder:
    """Keeps a command from other people's files, and lets it go on where it was interrupted."""

    root: Path
    marker: str  # name of the file in it that holds the settings
    what: str  # what the folder holds, for messages, such as "street scenes"
    parts: Sequence[str]  # folders within it that are the command's own

    def claim(self, settings: dict[str, Any], *, overwrite: bool) -> dict[str, Any]:
        """Make sure that the folder may be written to with these settings, as JSON keeps them.

        With ``overwrite``, parts that were made with other settings are removed.

        Returns:
            What :meth:`mark` noted with the same settings; empty where nothing was.

        Raises:
            OutputError: The folder is a file, holds other files, or was made with other settings.
        """
        root = self.root
        if root.exists() and not root.is_dir():
            raise OutputError(f"{root} is a file; expected a folder: give another name")
        if not root.is_dir() or not any(root.iterdir()):
            return {}
        if not (root / self.marker).is_file():
            raise OutputError(
                f"{root} holds files that are no {self.what} (no {self.marker} in it): give "
                "another folder"
            )
        try:
            found = json.loads((root / self.marker).read_text())
        except (ValueError, RecursionError):
            found = {}
        known = found.get("settings") if isinstance(found, dict) else None
        if known == settings:
            return found
        if not overwrite:
            raise OutputError(
                f"{root} holds {self.what} of other settings: {known}, asked for {settings}. Give "
                "--overwrite (overwrite=True) to replace them, or another folder"
            )
        for part in self.parts:
            shutil.rmtree(root / part, ignore_errors=True)
        return {}

    def write_missing(
        self, settings: dict[str, Any], targets: dict[Path, Item], *, progress: bool
    ) -> Iterator[tuple[Path, Item]]:
        """Mark the folder as incomplete, and yield the targets that do not exist, under a bar.

        A target must be the file that is written last of what belongs to it.
        """
        self.mark(settings, complete=False)
        for path, item in track(targets.items(), len(targets), self.what, show=progress):
            if not path.is_file():
                yield path, item

    def mark(self, settings: dict[str, Any], **notes: Any) -> None:
        """Write the settings down, with notes such as ``complete=True``."""
        with atomic_write(self.root / self.marker) as temporary:
            temporary.write_text(json.dumps({"settings": settings, **notes}, indent=1) + "\n")
