"""A built wheel brings configs and tools, as mim and `_base_ = 'glore_seg::...'` want them."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # builds

ROOT = Path(__file__).parents[1]
SCRIPT = """
import sys
import glore_seg
from mmengine.config import Config
assert glore_seg.__file__.startswith(sys.argv[1]), glore_seg.__file__
print(Config.fromfile(sys.argv[2]).model.decode_head.num_units)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel of this tree, unpacked; built from a copy, since building leaves folders behind."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("no git checkout: the tree's own files cannot be told from others")
    for name in listed.stdout.splitlines():
        if not (ROOT / name).exists():
            continue
        copy = folder / "source" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            copy.symlink_to((ROOT / name).readlink())
        else:
            copy.write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    done = subprocess.run(
        [*build, "--wheel-dir", str(folder), str(folder / "source")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_brings_configs_tools_and_the_index(installed):
    mim = installed / "glore_seg" / ".mim"
    for folder, pattern in (("configs", "*.py"), ("configs", "metafile.yml"), ("tools", "*.*")):
        expected = {p.relative_to(ROOT / folder) for p in (ROOT / folder).rglob(pattern)}
        expected = {p for p in expected if "__pycache__" not in p.parts}
        found = {p.relative_to(mim / folder) for p in (mim / folder).rglob(pattern)}
        assert found == expected
    assert (mim / "model-index.yml").read_bytes() == (ROOT / "model-index.yml").read_bytes()
    assert (installed / "glore_seg" / "py.typed").is_file()


def test_its_configs_are_bases(installed, tmp_path):
    config = tmp_path / "mine.py"
    config.write_text("_base_ = 'glore_seg::fcn_r50_glore-x2_cityscapes.py'\n")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(installed), str(config)],
        env={"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "2\n", done.stderr


def test_the_sdist_has_the_package_and_no_tests(installed, tmp_path):
    """The tests need a checkout."""
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=installed.parent / "source",
        check=True,
        capture_output=True,
    )
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert not [name for name in names if name.startswith("tests")]
    wheel = (p for p in (installed / "glore_seg").rglob("*.*") if "__pycache__" not in p.parts)
    assert {str(p.relative_to(installed)) for p in wheel} <= names
