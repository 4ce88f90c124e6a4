"""Fresh interpreters, with and without the patches."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = str(Path(importlib.util.find_spec("glore_seg").origin).parents[1])
PROBES = Path(__file__).with_name("probes.py")


def run_python(*arguments, cwd, path=(), **environment):
    """Runs the interpreter in ``cwd``; ``path`` goes before everything else on its path."""
    variables = {**os.environ, **environment, "OMP_NUM_THREADS": "1"}
    known = [*map(str, path), REPOSITORY, os.environ.get("PYTHONPATH", "")]
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, known))
    return subprocess.run(
        [sys.executable, "-W", "ignore", *map(str, arguments)],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
    )


def probe(folder, *flags):
    done = run_python(PROBES, folder, *flags, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def unpatched(tmp_path_factory):
    """Answers of the probes without the patches."""
    return probe(tmp_path_factory.mktemp("unpatched"))


@pytest.fixture(scope="session")
def patched(tmp_path_factory):
    """Answers of the probes with the patches; apply() was called twice."""
    return probe(tmp_path_factory.mktemp("patched"), "patched")


@pytest.fixture(scope="session")
def python():
    """Runs code or a script in a fresh interpreter; glore_seg can be imported there."""
    return run_python


@pytest.fixture(scope="session")
def tell_need(unpatched, patched):
    """Checks the error that a patch is for, or skips where this upstream does not raise it."""

    def check(patch, probe_name, error):
        state = patched["states"][patch]
        answer = unpatched[probe_name]
        for reason in (state, str(answer)):
            if reason.startswith(("skipped", "package not installed")):
                pytest.skip(f"{patch}: {reason}")
        if state.startswith("not needed"):
            assert error not in str(answer)
            assert patched[probe_name] == answer
            pytest.skip(f"{patch}: {state}")
        assert state == "applied"
        assert error in str(answer)

    return check


def pytest_collection_modifyitems(config, items):
    """Keeps what shares the two probing interpreters on one worker of pytest-xdist."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            if "patched" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group("compat_probes"))
