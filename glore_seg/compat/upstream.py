"""Which packages are installed, in which version, and which must be."""

import importlib.metadata
import platform

from glore_seg.compat.patch import is_importable

# What a bug report should name: a title and the distributions that can stand behind it.
PACKAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("torch", ("torch",)),
    ("torchvision", ("torchvision",)),
    ("numpy", ("numpy",)),
    (
        "opencv",
        (
            "opencv-python",
            "opencv-python-headless",
            "opencv-contrib-python",
            "opencv-contrib-python-headless",
        ),
    ),
    ("setuptools", ("setuptools",)),
    ("mmengine", ("mmengine", "mmengine-lite", "onedl-mmengine")),
    ("mmcv", ("mmcv", "mmcv-lite", "onedl-mmcv")),
    ("mmseg", ("mmsegmentation", "onedl-mmsegmentation")),
    ("mmpretrain", ("mmpretrain", "onedl-mmpretrain")),
    ("mmaction", ("mmaction2", "onedl-mmaction2")),
    ("cityscapesscripts", ("cityscapesScripts",)),
)

REQUIRED: tuple[tuple[str, str], ...] = (
    ("mmengine", "pip install mmengine"),
    ("mmcv", "pip install mmcv-lite"),
    ("mmseg", "pip install mmsegmentation"),
)


def version_of(distribution: str) -> str | None:
    """Version of an installed distribution, None where it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Titles and versions, as in ``{"mmcv": "mmcv-lite 2.1.0"}``; more than one where doubled."""
    found = {"python": platform.python_version()}
    for title, distributions in PACKAGES:
        present = [(name, version_of(name)) for name in distributions]
        names = [f"{name} {version}" for name, version in present if version is not None]
        found[title] = ", ".join(names) or "not installed"
    return found


def require_upstream() -> None:
    """Raises where a package is missing that glore_seg cannot do without.

    Raises:
        ImportError: If mmengine, mmcv or mmseg is missing. The text names the command.
    """
    for module, command in REQUIRED:
        if not is_importable(module):
            raise ImportError(
                f"glore_seg needs the package {module!r}, which is not installed: {command}",
                name=module,
            )
