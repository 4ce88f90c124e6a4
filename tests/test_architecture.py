"""Imports go down the list of CONTRIBUTING.md only."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "glore_seg"
LEVELS = (
    ("cli",),
    ("apis",),
    ("engine",),
    ("export",),
    ("models", "datasets", "evaluation", "checkpoints", "visualization"),
    ("layers", "compat"),
    ("utils",),
    ("errors", "version"),
)
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}


def imported(path: Path) -> set[str]:
    """Modules that a file imports by absolute name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def edges() -> dict[str, set[str]]:
    """Parts of the package to the parts that they import."""
    found = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part in ("__init__", ".mim"):
            continue
        for name in imported(path):
            root, _, rest = name.partition(".")
            target = rest.split(".")[0]
            if root == "glore_seg" and target in LEVEL and target != part:
                found[part].add(target)
    return dict(found)


def test_every_part_has_a_level():
    assert {*edges()} <= {*LEVEL}


@pytest.mark.parametrize("part", [*LEVEL])
def test_imports_go_down(part):
    assert [other for other in edges().get(part, ()) if LEVEL[other] < LEVEL[part]] == []


def test_no_cycles():
    found = edges()
    assert [(a, b) for a in found for b in found[a] if a in found.get(b, ())] == []


@pytest.mark.parametrize("folder", ["glore_seg", "tools"])
def test_the_package_does_not_import_projects(folder):
    for path in (ROOT / folder).rglob("*.py"):
        assert not any(name.split(".")[0] in ("projects", "tests") for name in imported(path)), path


def test_layers_are_free_of_openmmlab():
    for path in (PACKAGE / "layers").rglob("*.py"):
        assert not any(name.startswith("mm") for name in imported(path)), path
