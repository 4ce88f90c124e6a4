"""The findings of a check of a submission."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One error or warning.

    Args:
        kind: ``"archive"``, ``"corrupted"``, ``"duplicate"``, ``"extra"``, ``"missing"``,
            ``"mode"``, ``"name"``, ``"size"``, ``"train ids"``, ``"unknown ids"`` or ``"unsafe"``;
            of warnings ``"dataset"``, ``"not evaluated"`` or ``"palette"``.
        name: The file, as the archive or the file system names it.
        message: What was found, what was expected and the fix.
    """

    kind: str
    name: str
    message: str

    def __str__(self) -> str:
        """One line; a name that a terminal cannot print is escaped."""
        name = self.name if self.name.isprintable() and self.name else repr(self.name)
        return f"{name}: {self.message}"


@dataclass
class SubmissionReport:
    """All findings of a check.

    Attributes:
        expected: Number of images that a submission needs.
        checked: Number of images that were found and read.
        errors: What the server would refuse or score wrongly.
        warnings: What the server accepts, but deserves a look.
    """

    expected: int
    checked: int = 0
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def lines(self) -> list[str]:
        """A line for each error, one for each kind of warning, and a summary."""
        lines = [f"error: {error}" for error in self.errors]
        by_kind: dict[str, list[Finding]] = {}
        for warning in self.warnings:
            by_kind.setdefault(warning.kind, []).append(warning)
        for first, *others in by_kind.values():
            more = f" (and {len(others)} more)" if others else ""
            lines.append(f"warning: {first}{more}")
        if not self.errors:
            return [*lines, f"no errors in {self.checked} images"]
        counts = sorted(Counter(error.kind for error in self.errors).items())
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts)
        number = f"{len(self.errors)} error{'s' if len(self.errors) > 1 else ''}"
        return [*lines, f"{number} ({kinds}); {self.checked} of {self.expected} images read"]
