"""report.py: its page as HTML and in a browser."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glore_seg.errors import ConfigError, OutputError
from glore_seg.visualization import read_scalars
from tests.html_page import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def report(load_tool):
    """Calls report.py."""
    main = load_tool("report")
    return lambda *arguments: main([str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def written(report, trained, small_config, tmp_path_factory) -> Path:
    """The report of the small training; read only."""
    out = tmp_path_factory.mktemp("report") / "report.html"
    report(trained, "--config", small_config, "--out", out)
    return out


def test_the_page_has_all_parts(written, trained):
    page = Page(written.read_text(encoding="utf-8"))
    page.assert_self_contained()
    assert len(page.attributes("h2")) == 7
    text = " ".join(part.strip() for part in page.text)
    best = next(trained.glob("best_mIoU_iter_*.pth"))
    score = dict(read_scalars(trained)["mIoU"])[int(best.stem.split("_")[-1])]
    tile = page.text[page.text.index("mIoU") - 1]
    assert float(tile.removesuffix(" %")) == pytest.approx(score, abs=0.011)
    for part in (
        *(best.name, "GloReResNet-18, GloReHead", "32 nodes x 64 states", "training loss"),
        *("learning rate", "mIoU on val, %", "iIoU class", "traffic light", "construction"),
        *("ground truth", "node ", "decode_head.units.0", "MACs", "iterations/s"),
        *("waiting for data", "not logged (only on a GPU)", "128 x 256", "2 per process"),
        *("type SGD", "lr 0.05", "PolyLR", "fp32", "scratch"),
    ):
        assert part in text, part
    assert re.search("max_iters ?= ?4", text)
    # Three curves, the matrix, two images of val with three label maps and with four nodes each.
    assert len(page.attributes("img")) == 3 + 1 + 2 * 4 + 2 * 5


@pytest.mark.slow
def test_the_default_output_is_in_the_work_folder(report, trained, tmp_path, capsys):
    work_dir = tmp_path / "run"
    work_dir.mkdir()
    for file in (*trained.glob("*.py"), trained / "iter_2.pth"):
        shutil.copy(file, work_dir)
    report(work_dir)
    page = Page((work_dir / "report.html").read_text(encoding="utf-8"))
    text = " ".join(page.text)
    assert "iter_2.pth" in text
    assert "has no scalars" in text
    assert "nothing logged" in text
    assert f"wrote {work_dir / 'report.html'}" in capsys.readouterr().out
    with pytest.raises(OutputError, match=r"report\.html exists"):
        report(work_dir)
    report(work_dir, "--overwrite", "--checkpoint", trained / "iter_4.pth")
    assert "iter_4.pth" in (work_dir / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_network_without_units_and_data_without_label_ids(
    report, load_tool, write_config, street_scenes, tmp_path
):
    root, left_out = tmp_path / "data", shutil.ignore_patterns("*labelIds*", "*instanceIds*")
    shutil.copytree(street_scenes, root, ignore=left_out)
    splits = ("train", "val", "test")
    evaluator = {"_delete_": True, "type": "IoUMetric", "iou_metrics": ["mIoU"]}
    config = write_config(
        model__decode_head__num_units=0,
        train_cfg__max_iters=2,
        visualizer__name="plain",
        experiment_name="plain",
        val_evaluator=evaluator,
        test_evaluator=evaluator,
        **{f"{split}_dataloader__dataset__data_root": str(root) for split in splits},
    )
    work_dir = tmp_path / "plain"
    load_tool("train")([config, "--work-dir", str(work_dir)])
    report(work_dir)
    page = Page((work_dir / "report.html").read_text(encoding="utf-8"))
    page.assert_self_contained()
    text = " ".join(page.text)
    assert "This network has no GloRe unit." in text
    assert "iIoU class" not in text


def test_a_corrupted_log_is_rejected_before_the_evaluation(report, trained, tmp_path):
    log = tmp_path / "1" / "vis_data" / "scalars.json"
    log.parent.mkdir(parents=True)
    log.write_text('{"lo\n{"loss": 1.0, "step": 1}\n')
    shutil.copy(next(trained.glob("*.py")), tmp_path)
    (tmp_path / "iter_1.pth").write_bytes(b"no checkpoint")
    with pytest.raises(ConfigError, match=r"scalars\.json, line 1 is"):
        report(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt install chromium")
@pytest.mark.parametrize("width", [1280, 500])
def test_the_page_in_a_browser(written, tmp_path, width):
    shot = tmp_path / "shot.png"
    subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}"),
            *(f"--window-size={width},6000", f"--screenshot={shot}", written.as_uri()),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    image = np.array(Image.open(shot).convert("RGB")).astype(int)
    assert image.shape == (6000, width, 3)
    # Styles: background and cards. Images: blue of a curve (SVG), wrong pixels in orange (PNG).
    assert image[5, 5].tolist() == [245, 246, 248]
    assert (image == 255).all(-1).mean() > 0.3
    assert (image == [31, 119, 180]).all(-1).sum() > 100
    assert (image == [255, 140, 0]).all(-1).sum() > 1000
    # The page is not wider than the window.
    assert (image[:, -4:] == [245, 246, 248]).all()
