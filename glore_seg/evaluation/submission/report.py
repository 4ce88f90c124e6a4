"""What a check of a submission has found, one line a fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        kind: ``"archive"``, ``"damaged"``, ``"doubled"``, ``"extra"``, ``"hostile"``,
            ``"missing"``, ``"mode"``, ``"name"``, ``"size"``, ``"train ids"`` or
            ``"unknown ids"``; of warnings ``"dataset"``, ``"not evaluated"`` or ``"palette"``.
        name: What it is about, as the archive or the file system names it.
        message: What was found, what was expected and the mend.
    """

    kind: str
    name: str
    message: str

    def __str__(self) -> str:
        """Return one line; a name that a terminal can't print is escaped."""
        return f"{printable(self.name)}: {self.message}"


@dataclass
class SubmissionReport:
    """What a check has found.

    Attributes:
        expected: Number of images that a submission needs.
        checked: Number of images whose content was read.
        faults: What the server would refuse or score wrongly.
        warnings: What it takes, but is worth a look.
    """

    expected: int
    checked: int = 0
    faults: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return a line for each fault, one for each kind of warning, and a summary."""
        lines = [f"fault: {fault}" for fault in self.faults]
        by_kind: dict[str, list[Finding]] = {}
        for warning in self.warnings:
            by_kind.setdefault(warning.kind, []).append(warning)
        for first, *others in by_kind.values():
            alike = f" (and {len(others)} more alike)" if others else ""
            lines.append(f"warning: {first}{alike}")
        if not self.faults:
            return [*lines, f"no fault in {self.checked} images"]
        counts = Counter(fault.kind for fault in self.faults)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        number = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        lines.append(f"{number} ({kinds}); {self.checked} of {self.expected} images read")
        return lines


def printable(name: str) -> str:
    """Return a name from an untrusted file in a form that can't touch the terminal."""
    return name if name.isprintable() and name else repr(name)
