import shutil

import pytest
import torch
from mmengine.config import Config
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from glore_seg.errors import ConfigError
from glore_seg.visualization import read_scalars

BASE_LR = 0.05
ONE_STEP = ("train_cfg.max_iters=1", "train_cfg.val_interval=2")


def poly_lr(iteration, max_iters=4, power=0.9):
    """The rate of the step after so many; mmengine's schedule is at 0 for the very last step."""
    return BASE_LR * (1 - iteration / (max_iters - 1)) ** power


def load(path):
    return torch.load(path, map_location="cpu", weights_only=False)


def test_writes_checkpoints_scalars_events_and_its_config(trained, small_config):
    names = {path.name for path in trained.glob("*.pth")}
    (best,) = (name for name in names if name.startswith("best_mIoU_iter_"))
    assert names == {"iter_2.pth", "iter_4.pth", best}
    assert (trained / "last_checkpoint").read_text() == str(trained / "iter_4.pth")
    assert (trained / "small.py").is_file()

    scalars = read_scalars(trained)
    assert [step for step, _ in scalars["loss"]] == [1, 2, 3, 4]
    assert all(0 < value < 10 for _, value in scalars["loss"])
    # What is logged at iteration i is the rate that its step was made with.
    expected = [pytest.approx(poly_lr(i)) for i in range(4)]
    assert [value for _, value in scalars["lr"]] == expected
    scores = dict(scalars["mIoU"])
    assert sorted(scores) == [2, 4]
    assert all(0 <= value <= 100 for value in scores.values())
    assert best == f"best_mIoU_iter_{max(scores, key=scores.get)}.pth"
    assert "IoU.road" in scalars

    (event,) = trained.glob("*/vis_data/events.out.tfevents.*")
    events = EventAccumulator(str(event)).Reload()
    assert [e.step for e in events.Scalars("mIoU")] == [2, 4]
    assert [e.value for e in events.Scalars("mIoU")] == pytest.approx(list(scores.values()))


def test_the_resume_option_takes_the_latest_or_a_given_checkpoint(
    call, trained, small_config, tmp_path
):
    """tests/engine/test_restarts.py compares bit for bit, with everything that is random."""
    latest, given = tmp_path / "latest", tmp_path / "given"
    latest.mkdir()
    shutil.copy(trained / "iter_2.pth", latest)
    (latest / "last_checkpoint").write_text(str(latest / "iter_2.pth"))
    call("train", small_config, "--resume", work_dir=latest)
    other = ("optim_wrapper.optimizer.lr=9.0", "log_level=WARNING")
    arguments = ("train", small_config, "--resume", trained / "iter_2.pth")
    call(*arguments, work_dir=given, cfg_options=other)
    (log,) = given.glob("*/*.log")
    told = "lr was 0.05 in training and is 9.0 here; the checkpoint's value holds"
    assert told in log.read_text()
    wanted, end = read_scalars(trained), load(trained / "iter_4.pth")
    for work_dir in (latest, given):
        found, found_end = read_scalars(work_dir), load(work_dir / "iter_4.pth")
        assert found["lr"] == [pytest.approx(point) for point in wanted["lr"][2:]]
        # Nothing random but the pipeline is in this config.
        assert found["loss"] == [pytest.approx(point, rel=1e-5) for point in wanted["loss"][2:]]
        assert found_end["meta"]["iter"] == 4
        for name, value in end["state_dict"].items():
            torch.testing.assert_close(found_end["state_dict"][name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the choice on a CPU")
def test_amp_trains_in_bfloat16(call, trained, small_config, tmp_path):
    call("train", small_config, "--amp", work_dir=tmp_path, cfg_options=ONE_STEP)
    cfg = Config.fromfile(next(tmp_path.glob("*.py")))
    assert cfg.optim_wrapper.type == "BFloat16OptimWrapper"
    half, full = (read_scalars(folder)["loss"][0][1] for folder in (tmp_path, trained))
    # The first loss of the same network and batch: bfloat16 has 8 bits, 2 to 3 digits.
    assert half != full
    assert half == pytest.approx(full, rel=0.02)
    # The weights stay in fp32.
    weights = load(tmp_path / "iter_1.pth")["state_dict"].values()
    assert {v.dtype for v in weights} == {torch.float32, torch.int64}


@pytest.mark.slow
def test_channels_last_trains_the_same(call, trained, small_config, tmp_path):
    call("train", small_config, "--channels-last", work_dir=tmp_path, cfg_options=ONE_STEP)
    found, expected = (read_scalars(folder)["loss"][0][1] for folder in (tmp_path, trained))
    assert found == pytest.approx(expected, rel=1e-4)
    weights = load(tmp_path / "iter_1.pth")["state_dict"]
    assert weights.keys() == load(trained / "iter_2.pth")["state_dict"].keys()


def test_settings_are_compared_unless_the_checks_are_left_out(call, small_config, tmp_path):
    options = (*ONE_STEP, "train_dataloader.dataset.metainfo.clases=[road]")
    with pytest.raises(ConfigError, match="'clases'"):
        call("train", small_config, work_dir=tmp_path / "checked", cfg_options=options)
    assert not (tmp_path / "checked").exists()
    left_out = tmp_path / "left_out"
    call("train", small_config, "--skip-checks", work_dir=left_out, cfg_options=options)
    assert (left_out / "iter_1.pth").is_file()


def test_warnings_are_in_the_log(call, small_config, tmp_path):
    call("train", small_config, work_dir=tmp_path, cfg_options=(*ONE_STEP, "log_level=WARNING"))
    (log,) = tmp_path.glob("*/*.log")
    assert "train_cfg.max_iters is 1, but param_scheduler.0.end is 4" in log.read_text()
