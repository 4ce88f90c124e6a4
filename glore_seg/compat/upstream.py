"""Which packages are installed, in which version, and which must be."""

import importlib
import importlib.metadata
import platform
import re
import warnings

from packaging.version import Version

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

# What importing this package takes, by module and distribution.
REQUIRED: tuple[tuple[str, str], ...] = (
    ("mmengine", "mmengine"),
    ("mmcv", "mmcv-lite"),
    ("mmseg", "mmsegmentation"),
    ("ftfy", "ftfy"),
    ("regex", "regex"),
    ("cityscapesscripts", "cityscapesScripts"),
)

# The oldest releases that setup.cfg admits, to which `pip install --no-deps` pays no regard.
OLDEST = {
    "torch": "2.4",
    "numpy": "1.26",
    "opencv": "4.8",
    "mmengine": "0.10.4",
    "mmcv": "2.1.0",
    "mmseg": "1.2.2",
}


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


BUILD_MMCV = (
    "compile a full mmcv for the installed torch: pip uninstall mmcv-lite; pip install "
    "'setuptools<82'; pip install --no-build-isolation mmcv==2.1.0"
)


def missing_library(error: ImportError) -> str | None:
    """Name of the system library for want of which a module was not imported."""
    found = re.match(r"(\S+): cannot open shared object file", str(error))
    return found[1] if found else None


def opencv_advice() -> str:
    """Both ways out where OpenCV lacks system libraries."""
    return (
        "OpenCV needs system libraries: apt-get install libgl1 libglib2.0-0t64 (libglib2.0-0 "
        "before Debian 13 and Ubuntu 24.04), or the build that needs none: "
        "pip install --no-deps --force-reinstall opencv-python-headless"
    )


def require_opencv() -> None:
    """Raises where OpenCV is installed and lacks system libraries.

    Raises:
        ImportError: The text names the library and both ways out.
    """
    if not is_importable("cv2"):
        return
    try:
        importlib.import_module("cv2")
    except ImportError as error:
        library = missing_library(error)
        if library is None:
            raise
        raise ImportError(f"{library} is missing. {opencv_advice()}", name="cv2") from error


def require_upstream() -> None:
    """Raises where packages are missing that glore_seg cannot do without.

    Raises:
        ImportError: If any of :data:`REQUIRED` is missing. The text names the command.
    """
    missing = {module: name for module, name in REQUIRED if not is_importable(module)}
    if missing:
        raise ImportError(
            f"glore_seg needs {', '.join(missing)}, not installed here: pip install "
            f"{' '.join(missing.values())}",
            name=next(iter(missing)),
        )


def warn_of_old_versions() -> None:
    """Warns once, naming each package that is older than what glore_seg supports in full."""
    old = []
    for title, distributions in PACKAGES:
        for version in filter(None, map(version_of, distributions)):
            if title in OLDEST and Version(version) < Version(OLDEST[title]):
                old.append(f"{title} {version} (supported: {OLDEST[title]} and later)")
    if not old:
        return
    warnings.warn(
        f"glore_seg runs beside older packages than it supports in full: {', '.join(old)}. The "
        "layers, heads, necks and backbones work with torch 2.1 and later; torch.compile and "
        "reading checkpoints without running code from them need torch 2.4, export needs 2.6",
        stacklevel=3,
    )
