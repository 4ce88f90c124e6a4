"""What README shows passes a type checker."""

import subprocess
import sys

import pytest

from tests.docs.blocks import ROOT, blocks_of

pytest.importorskip("mypy", reason="pip install 'glore_seg[dev]'")


@pytest.mark.slow
def test_readme(tmp_path):
    for number, block in enumerate(blocks_of(ROOT / "README.md")):
        if block.language == "python":
            (tmp_path / f"readme_{number}.py").write_text(block.text)
    files = sorted(map(str, tmp_path.iterdir()))
    assert files
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *files], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
