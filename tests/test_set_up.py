"""`.ci/venv`, which `make env` calls before anything is downloaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

VENV = Path(__file__).parents[1] / ".ci" / "venv"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not VENV.exists(), reason="not a checkout"),
]


def make_venv(folder, python=sys.executable, **environment):
    variables = {**os.environ, "DISK_GB": "0", **environment}
    return subprocess.run(
        [VENV, python, ".venv"], cwd=folder, env=variables, capture_output=True, text=True
    )


def write_python(path, before):
    """A python that runs some lines before the code of -c."""
    path.write_text(f"#!/bin/sh\nexec \"{sys.executable}\" -c \"{before}; exec('''$2''')\"\n")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set_up")
    done = make_venv(folder)
    assert done.returncode == 0, done.stderr
    (folder / ".venv" / "kept").touch()
    return folder


def test_keeps_a_usable_one(folder):
    done = make_venv(folder, python="no-such-python")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / ".venv" / "kept").exists()


@pytest.mark.parametrize("broken", ["interrupted", "no pip"])
def test_makes_a_broken_one_again(folder, tmp_path, broken):
    venv = tmp_path / ".venv"
    if broken == "interrupted":
        subprocess.run(["cp", "-a", folder / ".venv", venv], check=True)
        (venv / "tmp").mkdir()
    else:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    done = make_venv(tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (venv / "tmp").exists()
    assert not (venv / "kept").exists()
    subprocess.run([venv / "bin" / "python", "-m", "pip", "--version"], check=True)


def test_names_what_is_missing(tmp_path):
    done = make_venv(tmp_path, python="python3.99")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "apt-get install python3.99-venv" in done.stderr

    old = write_python(tmp_path / "old", "import sys; sys.version_info = (3, 9, 1)")
    done = make_venv(tmp_path, python=old)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "3.10 or newer" in done.stderr

    bare = write_python(tmp_path / "python3", "import sys; sys.modules['ensurepip'] = None")
    done = make_venv(tmp_path, python=bare)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "apt-get install python3-venv" in done.stderr


def test_disk_space(tmp_path):
    done = make_venv(tmp_path, DISK_GB="1000000")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "1000000 GB" in done.stderr
    assert "TORCH_BACKEND=cpu" in done.stderr
    assert not (tmp_path / ".venv").exists()
