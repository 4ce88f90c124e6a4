"""What is missing: one clear error at import, and a report that runs to its end."""

import pytest


@pytest.fixture
def without_library(tmp_path):
    """A cv2 as it fails in a slim container."""
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')"
    )
    return tmp_path


def test_missing_system_library(python, without_library, tmp_path):
    script = (
        "import sys\n"
        "try:\n    import glore_seg\n"
        "except ImportError as error:\n"
        "    print(error.name, 'torch' in sys.modules, error.__cause__.__class__.__name__, error)"
    )
    done = python("-c", script, cwd=tmp_path, path=[without_library])
    assert done.stdout.startswith("cv2 False ImportError libGL.so.1 is missing"), done.stderr
    assert "apt-get install libgl1 libglib2.0-0t64" in done.stdout
    assert "--no-deps --force-reinstall opencv-python-headless" in done.stdout


def test_report_without_system_library(python, without_library, tmp_path):
    done = python("-m", "glore_seg.compat", cwd=tmp_path, path=[without_library])
    assert done.returncode == 0, done.stderr
    assert "missing libGL.so.1" in done.stdout
    todo = done.stdout.partition("What to do")[2]
    assert "apt-get install libgl1" in todo


@pytest.mark.slow
def test_report_without_mmcv(python, tmp_path):
    """find_spec() gives None for a module of that value."""
    code = (
        "import sys, runpy, importlib.util; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'mmcv' else find(name, *a)\n"
        "sys.argv[0], sys.orig_argv[-1] = '-m', 'glore_seg.compat'\n"
        "runpy.run_module('glore_seg.compat', run_name='__main__')"
    )
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "pip install mmcv-lite" in done.stdout
    assert "  mmcv      not installed" in done.stdout
