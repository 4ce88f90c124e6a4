"""get_flops.py, browse_dataset.py and demo.py."""

import json
from pathlib import Path

import cv2
import pytest
import torch

from projects.synthetic_data.demo import run_demo, submit_demo

CONFIGS = Path(__file__).parents[2] / "configs"


def test_get_flops_counts_the_unit(load_tool, capsys):
    counts = []
    for name in ("fcn_r50_multigrid_cityscapes", "fcn_r50_glore_cityscapes"):
        load_tool("get_flops")([str(CONFIGS / f"{name}.py"), "--shape", "64", "128", "--json"])
        counts.append(json.loads(capsys.readouterr().out.splitlines()[-1]))
    without, with_unit = counts
    c, n, s, length = 512, 64, 128, 8 * 16
    assert with_unit["params"] - without["params"] == 185_600
    unit = c * s * length + c * n * length + 2 * s * n * length + s * c * length
    assert with_unit["macs"] - without["macs"] == unit + n * n * s + s * s * n
    by_module = with_unit["macs_by_module"]
    assert by_module["decode_head.units"] == unit + n * n * s + s * s * n
    assert by_module["backbone"] + by_module["decode_head"] == with_unit["macs"]


def test_get_flops_prints_a_table(load_tool, capsys):
    load_tool("get_flops")([str(CONFIGS / "fcn_r50_glore_cityscapes.py"), "--shape", "64"])
    out = capsys.readouterr().out
    assert "35.521 M" in out
    assert "decode_head" in out


@pytest.mark.parametrize("shape", [["0"], ["1", "2", "3", "4"]])
def test_get_flops_refuses_a_shape(shape, load_tool, capsys):
    with pytest.raises(SystemExit):
        load_tool("get_flops")(["c.py", "--shape", *shape])
    assert "--shape takes one to three positive numbers" in capsys.readouterr().err


def test_browse_dataset(street_scenes, load_tool, tmp_path):
    load_tool("browse_dataset")(
        [
            str(CONFIGS / "fcn_r18_glore_street-scenes.py"),
            "--out-dir",
            str(tmp_path / "out"),
            "--num-images",
            "2",
            "--cfg-options",
            f"train_dataloader.dataset.data_root={street_scenes}",
        ]
    )
    assert len(list((tmp_path / "out").glob("*_leftImg8bit.png"))) == 2


@pytest.mark.slow
def test_demo_leaves_everything_and_goes_on(tmp_path, capfd, monkeypatch):
    config = tmp_path / "small.py"
    config.write_text(
        f'_base_ = "{CONFIGS}/fcn_r18_glore_street-scenes.py"\n'
        "model = dict(backbone=dict(base_channels=8, stem_channels=8),\n"
        "             decode_head=dict(in_channels=64, channels=16, num_nodes=4, num_states=8))\n"
        "train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)\n"
        "val_dataloader = dict(num_workers=0, persistent_workers=False)\n"
        "test_dataloader = val_dataloader\n"
    )
    # mmengine formats the config at every start and checkpoint, with yapf, which takes a second
    # more each time over a path that is longer than a line.
    monkeypatch.chdir(tmp_path)
    out = Path("out")
    scenes = {"num_train": 6, "num_val": 4, "num_test": 1}
    for iters in (2, 3):
        run_demo(str(config), out, max_iters=iters, scenes=scenes)
        shown = capfd.readouterr().out
        assert f"Training for {iters} iterations" in shown
        assert "=== Done in" in shown
    # The second call went on from the first one's checkpoint.
    assert torch.load(out / "work_dir/iter_3.pth", weights_only=True)["meta"]["iter"] == 3
    assert "untrained, IoU %" in (out / "class_table.txt").read_text()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "best_mIoU_iter_" in page
    assert cv2.imread(str(out / "panel.png")).shape[1] > 900
    assert cv2.imread(str(out / "training_curve.png")).shape[1] == 1200
    # Trained anew, another checkpoint has the name of the one before.
    (best,) = (out / "work_dir").glob("best_*.pth")
    loaded = torch.load(best, weights_only=True)
    loaded["state_dict"]["decode_head.conv_seg.bias"] += 1
    torch.save(loaded, best)
    assert "no errors in 1 images" in submit_demo(str(config), out, best)
    folders = [folder.name for folder in out.glob(f"submission_{best.stem}_*")]
    assert len(folders) == 2, folders
