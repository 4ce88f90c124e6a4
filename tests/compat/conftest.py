"""Fresh interpreters, with and without the mends."""

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
def unmended(tmp_path_factory):
    """Answers of the probes without the mends."""
    return probe(tmp_path_factory.mktemp("unmended"))


@pytest.fixture(scope="session")
def mended(tmp_path_factory):
    """Answers of the probes with the mends; apply() was called twice."""
    return probe(tmp_path_factory.mktemp("mended"), "mended")


@pytest.fixture(scope="session")
def python():
    """Runs code or a script in a fresh interpreter; glore_seg can be imported there."""
    return run_python


@pytest.fixture(scope="session")
def tell_need(unmended, mended):
    """Checks the error that a mend is for, or skips where this host does not raise it."""

    def check(mend, probe_name, error):
        state = mended["states"][mend]
        answer = unmended[probe_name]
        for reason in (state, str(answer)):
            if reason.startswith(("skipped", "host package not installed")):
                pytest.skip(f"{mend}: {reason}")
        if state.startswith("not needed"):
            assert error not in str(answer)
            assert mended[probe_name] == answer
            pytest.skip(f"{mend}: {state}")
        assert state == "mended"
        assert error in str(answer)

    return check


def pytest_collection_modifyitems(config, items):
    """Keeps what shares the two probing interpreters on one worker of pytest-xdist."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            if "mended" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group("compat_probes"))
