"""Versions of packages and hardware, for the header of a measurement."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("torch", "numpy", "mmengine", "mmcv-lite", "mmcv", "mmsegmentation")


def machine(device: str = "cpu") -> dict[str, Any]:
    """Return versions of packages and names of processor and GPU."""
    found: dict[str, Any] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    found["torch"] = torch.__version__  # with its build, which the metadata may lack
    cpuinfo = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cpuinfo.read_text() if cpuinfo.exists() else "")
    found["processor"] = names[0] if names else platform.processor() or platform.machine()
    found["cores"] = os.cpu_count()
    found["threads"] = torch.get_num_threads()
    if torch.device(device).type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
        found["cuda"] = torch.version.cuda
    return found
