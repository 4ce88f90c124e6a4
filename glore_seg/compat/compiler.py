"""mmengine asks for the compiler's version through a shell, whose complaint lands in the output.

``sysconfig`` names the compiler that built Python, such as ``x86_64-linux-gnu-gcc`` on Debian, and
few machines have it. mmengine reports ``GCC: n/a`` then, but the shell has already printed
``/bin/sh: x86_64-linux-gnu-gcc: not found`` at the start of every run.
"""

import importlib
import shutil
import subprocess
import sysconfig
from functools import partial
from types import SimpleNamespace
from typing import Any

from glore_seg.compat.patch import Patch

_MODULE = "mmengine.utils.dl_utils.collect_env"


def _not_needed() -> str:
    compiler = (sysconfig.get_config_var("CC") or "").split()
    return "" if compiler and not shutil.which(compiler[0]) else "Python's compiler is installed"


def _apply() -> None:
    module: Any = importlib.import_module(_MODULE)
    module.subprocess = SimpleNamespace(
        check_output=partial(subprocess.check_output, stderr=subprocess.DEVNULL),
        CalledProcessError=subprocess.CalledProcessError,
        SubprocessError=subprocess.SubprocessError,
    )


PATCH = Patch(
    name="compiler",
    reason="'/bin/sh: x86_64-linux-gnu-gcc: not found' where no compiler is installed",
    upstream="mmengine",
    not_needed=_not_needed,
    apply=_apply,
)
