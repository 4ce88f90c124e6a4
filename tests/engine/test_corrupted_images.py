"""A corrupted image of validation or test is named, in all ways to score."""

import shutil

import pytest

from glore_seg.apis import submit
from glore_seg.apis.evaluation import evaluate
from glore_seg.apis.predictor import Predictor
from glore_seg.cli import run_tool
from glore_seg.engine import build_runner
from glore_seg.errors import DataError
from tests.configs.shrinking import name_run


@pytest.fixture
def corrupted(small_cfg, save, street_scenes, tmp_path):
    """The small network, with a checkpoint and an image that is cut off after its header."""
    checkpoint = save(small_cfg)
    root = tmp_path / "data"
    shutil.copytree(street_scenes, root)
    image = max((root / "leftImg8bit/val").rglob("*.png"))
    image.write_bytes(image.read_bytes()[:40])
    for split in ("val", "test"):
        small_cfg[f"{split}_dataloader"].dataset.data_root = str(root)
    name_run(small_cfg, tmp_path / "run").load_from = str(checkpoint)
    small_cfg.log_level = "ERROR"
    return small_cfg, image


@pytest.mark.parametrize(("split", "workers"), [("val", 0), ("test", 1)])
def test_a_runner(corrupted, capsys, split, workers):
    cfg, image = corrupted
    cfg[f"{split}_dataloader"].num_workers = workers
    runner = build_runner(cfg)
    with pytest.raises(SystemExit) as end:
        run_tool(getattr(runner, split))
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {image} cannot be read")


def test_evaluation_and_submission(corrupted, tmp_path):
    cfg, image = corrupted
    cfg.launcher = "none"
    with pytest.raises(DataError, match=f"{image} cannot be read"):
        evaluate(Predictor(cfg, cfg.load_from, split="val"), cfg)
    with pytest.raises(DataError, match=f"{image} cannot be read"):
        submit(cfg, cfg.load_from, split="val", out=tmp_path / "a.zip", progress=False)
    assert not (tmp_path / "a.zip").exists()
