"""A damaged image to score on ends each way of scoring with one line that names it."""

import re
import shutil

import pytest

from glore_seg.apis import submit
from glore_seg.apis.evaluation import evaluate
from glore_seg.apis.predictor import Predictor
from glore_seg.cli import run_tool
from glore_seg.datasets.sample_faults import SampleError
from glore_seg.engine import build_runner
from tests.configs.shrinking import name_run


@pytest.fixture
def damaged(small_cfg, save, street_scenes, tmp_path):
    """The small network, with a checkpoint and an image of which only the header is there."""
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
def test_a_runner(damaged, capsys, split, workers):
    cfg, image = damaged
    cfg[f"{split}_dataloader"].num_workers = workers
    runner = build_runner(cfg)
    with pytest.raises(SystemExit) as left:
        run_tool(getattr(runner, split))
    assert left.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert re.match(
        rf"error: {image} cannot be read \(.*\)\. No sample is left out here: get", said
    )


def test_an_evaluation(damaged):
    cfg, image = damaged
    with pytest.raises(SampleError, match=rf"{image} cannot be read"):
        evaluate(Predictor(cfg, cfg.load_from, split="val"), cfg)


def test_a_submission(damaged, tmp_path):
    cfg, image = damaged
    cfg.launcher = "none"
    with pytest.raises(SampleError, match=rf"{image} cannot be read"):
        submit(cfg, cfg.load_from, split="val", out=tmp_path / "a.zip", progress=False)
    assert not (tmp_path / "a.zip").exists()
