"""What Windows and macOS lack is hidden, and everything imports and a training runs without it."""

import subprocess
import sys
import types

import pytest

from glore_seg.errors import OutputError
from glore_seg.utils import files
from tests.fixtures import REPOSITORY
from tests.leftovers import leave_temporary

# At the top level of the script, so that spawned data workers lack it, too.
HIDDEN = """
import os, platform, signal, sys

platform.system = lambda: "Windows"  # for mmengine
for name in ("fcntl", "resource", "termios"):
    sys.modules[name] = None
for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGQUIT", "SIGALRM", "pthread_sigmask", "sigwait",
             "pthread_kill", "sigwaitinfo", "sigtimedwait"):
    delattr(signal, name)
for name in ("fork", "forkpty", "sched_getaffinity", "sysconf", "EX_TEMPFAIL", "statvfs"):
    delattr(os, name)
"""
IMPORTS = """
import importlib, pkgutil
import glore_seg
for module in pkgutil.walk_packages(glore_seg.__path__, "glore_seg."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
TRAINING = """
if __name__ == "__main__":
    from pathlib import Path
    from torch import multiprocessing
    from tests.engine.toy import config, train
    multiprocessing.set_start_method("spawn")
    for resume in (False, True):
        cfg = config(Path(sys.argv[1]), train_dataloader__num_workers=2, resume=resume)
        cfg.train_cfg.max_iters = 6 if resume else 3
        print("trained to", train(cfg).iter)
"""


def run(script, *arguments):
    done = subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "HOME": "/tmp"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_imports_and_trains_with_spawned_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(HIDDEN + IMPORTS)
    run(script)
    script.write_text(HIDDEN + TRAINING)
    said = run(script, tmp_path / "run")
    assert [line for line in said.splitlines() if line.startswith("trained")] == [
        "trained to 3",
        "trained to 6",
    ]


@pytest.fixture
def windows(monkeypatch):
    """Locks as msvcrt has them; opens no folders, and a signal 0 would interrupt its target."""
    held = set()

    def locking(descriptor, mode, number):
        if held:
            raise PermissionError(13, "Permission denied")
        held.add(descriptor)

    def kill(pid, signum):
        raise AssertionError("sent a signal")

    msvcrt = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.setattr(files, "_WINDOWS", True)
    monkeypatch.setattr(files.os, "kill", kill)


def test_a_lock_holds_for_one(windows, tmp_path):
    with (
        files.locked(tmp_path / "lock", doing="packing"),
        pytest.raises(OutputError, match="another process is packing"),
        files.locked(tmp_path / "lock", doing="packing"),
    ):
        pass
    assert (tmp_path / "lock").stat().st_size == 0


def test_files_are_written_and_those_of_other_processes_stay(windows, tmp_path, monkeypatch):
    opened = files.os.open

    def open_file(path, flags):
        assert not path.is_dir()
        return opened(path, flags)

    monkeypatch.setattr(files.os, "open", open_file)
    with files.atomic_write(tmp_path / "a.txt", sync=True) as temporary:
        temporary.write_text("all")
    assert (tmp_path / "a.txt").read_text() == "all"
    left = leave_temporary(tmp_path / "b.txt")
    files.remove_unfinished(tmp_path)
    assert left.exists()
