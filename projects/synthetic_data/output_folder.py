"""What the synthetic datasets share: options, checks, and a folder that records its settings."""

import json
import re
import shutil
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import Parameter, getdoc, signature
from math import inf
from pathlib import Path
from typing import Any, TypeVar

from glore_seg.errors import ConfigError, OutputError
from glore_seg.utils.files import write_lines
from glore_seg.utils.progress import track

Item = TypeVar("Item")


def dataset_parser(make: Callable[..., object], description: str) -> ArgumentParser:
    """Return a parser whose options are the arguments of ``make``, as its docstring tells them.

    The description ends with an example, which begins with the name of the command.
    """
    prog = re.findall(r"python -m \S+", description)[-1]
    parser = ArgumentParser(
        prog=prog, description=description, formatter_class=RawDescriptionHelpFormatter
    )
    texts = dict(re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", getdoc(make) or "", re.MULTILINE))
    for name, parameter in signature(make).parameters.items():
        default, text = parameter.default, " ".join(texts[name].replace("``", "").split())
        option = f"--{name.replace('_', '-')}"
        if default is Parameter.empty:
            parser.add_argument(name, help=text)
        elif name == "progress":
            parser.add_argument("--quiet", dest=name, action="store_false", help="show no progress")
        elif default is False:
            parser.add_argument(option, action="store_true", help=text)
        else:
            values = default if isinstance(default, tuple) else (default,)
            kind: dict[str, Any] = {"type": type(values[0]), "default": default}
            if values == default:
                kind["nargs"] = "+" if kind["type"] is str else len(values)
            shown = " ".join(map(str, values))
            parser.add_argument(option, **kind, help=f"{text} (default: {shown})")
    return parser


def check_range(low: float, high: float = inf, **values: float) -> None:
    """Raise a ConfigError if a value is below ``low``, above ``high`` or nan."""
    for name, value in values.items():
        if not low <= value <= high:
            wanted = f"{low} or more" if high == inf else f"{low} to {high}"
            raise ConfigError(f"{name} is {value}; expected {wanted}")


@dataclass(frozen=True)
class DatasetFolder:
    """Keeps a command from other people's files, and lets it go on where it was interrupted."""

    root: Path
    marker: str  # name of the file in it that holds the settings
    what: str  # what the folder holds, for messages, such as "street scenes"
    parts: Sequence[str]  # folders within it that are the command's own

    def claim(self, settings: dict[str, Any], *, overwrite: bool) -> dict[str, Any]:
        """Make sure that the folder may be written to with these settings, as JSON keeps them.

        With ``overwrite``, parts that were made with other settings are removed. Returns what
        :meth:`mark` noted with the same settings, or nothing.

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
        write_lines(
            self.root / self.marker, [json.dumps({"settings": settings, **notes}, indent=1)]
        )
