"""What ``python -m glore_seg.compat`` prints: the environment, the patches, and what to do.

It reports a package that is missing, too old or broken, and goes on.
"""

import importlib
import importlib.metadata
import importlib.util
import platform
import sys
import warnings
from pathlib import Path

from glore_seg import compat
from glore_seg.compat.patch import is_importable
from glore_seg.compat.upstream import (
    PACKAGES,
    missing_library,
    opencv_advice,
    version_of,
)


def doctor() -> str:
    """The environment, the patches and what to do, for a bug report."""
    environment = {
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "torch": _torch(),
        "opencv": _opencv(),
        "mmcv": _mmcv(),
    }
    width = max(map(len, environment))
    lines = ["Environment", *(f"  {name:<{width}}  {is_}" for name, is_ in environment.items())]
    advice = _unmet_requirements()
    if "missing lib" in environment["opencv"]:
        advice.append(opencv_advice())
    try:
        compat.apply()
        for patch in compat._patches():
            if patch.module:  # which the patch waits for
                importlib.import_module(patch.module)
        lines.append(str(compat.report()))
    except Exception as error:  # a broken package raises anything; the report says so
        lines.append(f"Patches\n  not applied: {type(error).__name__}: {error}")
        if not advice:
            advice.append("correct the error above; `pip check` finds packages that do not fit")
    return "\n".join([*lines, "What to do", *(f"  {line}" for line in advice or ["nothing"])])


def _torch() -> str:
    if not is_importable("torch"):
        return "not installed"
    try:
        torch = importlib.import_module("torch")
    except Exception as error:
        return f"{version_of('torch')}, cannot be imported: {error}"
    built = torch.version.cuda or getattr(torch.version, "hip", None)
    if not built:
        return f"{torch.__version__}, CPU build"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a driver that is missing or too old
        there = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if there else "no device"
    return f"{torch.__version__}, CUDA {built} build, {device}"


def _opencv() -> str:
    if not is_importable("cv2"):
        return "not installed"
    names = _installed("opencv")
    try:
        importlib.import_module("cv2")
    except ImportError as error:
        library = missing_library(error)
        return f"{names}, " + (f"missing {library}" if library else f"broken: {error}")
    return names


def _mmcv() -> str:
    spec = importlib.util.find_spec("mmcv")
    if spec is None or spec.origin is None:
        return "not installed"
    full = any(Path(spec.origin).parent.glob("_ext*"))
    return f"{_installed('mmcv')}, {'full' if full else 'lite (no compiled operators)'}"


def _installed(title: str) -> str:
    """Installed distributions that bring a module, with versions."""
    found = [f"{name} {version}" for name in dict(PACKAGES)[title] if (version := version_of(name))]
    return ", ".join(found) or "of unknown origin"


def _unmet_requirements() -> list[str]:
    """A line for each requirement of this package that is missing or too old."""
    try:
        from packaging.requirements import Requirement

        requires = importlib.metadata.requires("glore_seg") or []
    except (ImportError, importlib.metadata.PackageNotFoundError) as error:
        return [f"requirements are not checked ({error}): pip install glore_seg"]
    lines = []
    for text in requires:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        versions = [version for name in _names(requirement.name) if (version := version_of(name))]
        if not versions:
            lines.append(f"{requirement.name} is missing: pip install '{requirement}'")
        elif not any(requirement.specifier.contains(one, prereleases=True) for one in versions):
            lines.append(f"{requirement.name} is {versions[0]}: pip install '{requirement}'")
    if not any(map(version_of, dict(PACKAGES)["mmcv"])):
        lines.append("mmcv is missing: pip install mmcv-lite")
    return lines


def _names(distribution: str) -> tuple[str, ...]:
    """Distributions that serve for one: itself, its forks and other builds."""
    return next((names for _, names in PACKAGES if distribution in names), (distribution,))
