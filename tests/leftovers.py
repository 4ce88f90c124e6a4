"""Temporary files as a killed process leaves them."""

import os
import subprocess
from pathlib import Path

from glore_seg.utils.files import temporary_path


def leave_temporary(path: Path, *, content: bytes = b"half") -> Path:
    """Write what a process of this machine that is dead now was writing to ``path``."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    name = temporary_path(path).name.replace(f".{os.getpid()}.", f".{dead.pid}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(name).write_bytes(content)
    return path.with_name(name)
