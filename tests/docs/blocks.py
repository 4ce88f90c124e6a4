"""The examples of a page: its fenced blocks, and the commands in them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "data" / "README.md"],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its first line, from 1, the language behind the fence, and its text."""

    line: int
    language: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    blocks = []
    for found in _FENCED.finditer(text):
        indent = found[1]
        lines = [line.removeprefix(indent) for line in found[3].splitlines()]
        line = text.count("\n", 0, found.start()) + 1
        blocks.append(Block(line, found[2], "\n".join(lines) + "\n"))
    return blocks


def commands_of(block: Block) -> list[list[str]]:
    """The commands of a block in words, with ``NAME=value`` lines put in and comments left out."""
    joined = block.text.replace("\\\n", " ")
    names: dict[str, str] = {}
    commands = []
    for words in _split(joined):
        words = [re.sub(r"\$(\w+)", lambda name: names[name[1]], word) for word in words]
        assigned = [word for word in words if re.fullmatch(r"[A-Z_]+=.*", word, re.DOTALL)]
        if len(assigned) == len(words):
            names.update(word.split("=", 1) for word in words)
            continue
        while re.match(r"[A-Z_]+=", words[0]):  # the environment of one command
            words = words[1:]
        commands.append(words)
    return commands


def _split(text: str) -> list[list[str]]:
    """Lines in words; a quoted word may go over several lines."""
    lines: list[list[str]] = []
    pending = ""
    for line in text.splitlines():
        pending = f"{pending}\n{line}" if pending else line
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:  # a quote is still open
            continue
        pending = ""
        if words:
            lines.append(words)
    if pending:
        raise ValueError(f"a quote is not closed: {pending!r}")
    return lines
