"""browse_dataset.py, hub.py and demo.py."""

from pathlib import Path

import cv2
import pytest
import torch

from glore_seg.apis.hub import from_pretrained
from glore_seg.errors import GloReSegError
from projects.synthetic_data.demo import run_demo, submit_demo
from tests.export import networks

CONFIGS = Path(__file__).parents[2] / "configs"


def test_browse_dataset(street_scenes, load_tool, tmp_path):
    config = str(CONFIGS / "fcn_r18_glore_street-scenes.py")
    options = ["--out-dir", str(tmp_path / "out"), "--num-images", "2"]
    root = f"train_dataloader.dataset.data_root={street_scenes}"
    load_tool("browse_dataset")([config, *options, "--cfg-options", root])
    assert len(list((tmp_path / "out").glob("*_leftImg8bit.png"))) == 2


def test_hub_saves_a_folder_that_loads(load_tool, tmp_path, capsys):
    cfg = networks.segmentation()
    checkpoint = networks.save(cfg, tmp_path / "a.pth")
    cfg.dump(tmp_path / "a.py")
    hub = load_tool("model_converters/hub")
    hub(["save", str(tmp_path / "a.py"), str(checkpoint), str(tmp_path / "net")])
    assert f"wrote {tmp_path / 'net'}; complete the card" in capsys.readouterr().out
    assert from_pretrained(tmp_path / "net").dataset_meta["classes"] == networks.CLASSES
    with pytest.raises(GloReSegError, match="--overwrite"):
        hub(["save", str(tmp_path / "a.py"), str(checkpoint), str(tmp_path / "net")])
    with pytest.raises(GloReSegError, match="'net'"):
        hub(["pull", "net", str(tmp_path / "pulled")])


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
    # Trained anew, another checkpoint has the name of the one before.
    (best,) = (out / "work_dir").glob("best_*.pth")
    loaded = torch.load(best, weights_only=True)
    loaded["state_dict"]["decode_head.conv_seg.bias"] += 1
    torch.save(loaded, best)
    assert "no errors in 1 images" in submit_demo(str(config), out, best)
    folders = [folder.name for folder in out.glob(f"submission_{best.stem}_*")]
    assert len(folders) == 2, folders
