"""The real command: the same zip after interrupts and from several processes."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from glore_seg.apis import load_config
from glore_seg.engine import build_model
from glore_seg.errors import ConfigError, GloReSegError, OutputError
from glore_seg.evaluation import CITYSCAPES_CLASSES
from projects.synthetic_data.street_scenes import make_street_scenes
from tests.forked import free_port
from tests.tools.test_dist import TOOLS, launch

NUM_IMAGES = 6
SLIDE = ("--mode", "slide", "--crop-size", 32, 32, "--stride", 12, 12)  # slow enough to be killed


@pytest.fixture(scope="module")
def data_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("submit") / "data"
    numbers = {"num_train": 1, "num_val": 1, "num_test": NUM_IMAGES}
    return make_street_scenes(root, **numbers, size=(64, 128), progress=False)


@pytest.fixture(scope="module")
def config(write_config, data_root):
    return write_config(test_dataloader__dataset__data_root=str(data_root))


@pytest.fixture(scope="module")
def checkpoint(config, tmp_path_factory):
    """An untrained network whose classifier doesn't give one class everywhere."""
    torch.manual_seed(0)
    model = build_model(load_config(config))
    model.init_weights()
    torch.nn.init.normal_(model.decode_head.conv_seg.weight)
    path = tmp_path_factory.mktemp("checkpoint") / "untrained.pth"
    torch.save({"state_dict": model.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def submit(load_tool, config, checkpoint):
    def submit(out, *options):
        load_tool("submit")([config, str(checkpoint), "--out", str(out), *map(str, options)])
        return out

    return submit


@pytest.fixture(scope="module")
def undisturbed(submit, tmp_path_factory):
    """The zip of one uninterrupted process."""
    return submit(tmp_path_factory.mktemp("undisturbed") / "results.zip", *SLIDE)


def test_the_checker_accepts_it(undisturbed, data_root, load_tool, capsys):
    assert load_tool("check_submission")([str(undisturbed), "--data-root", str(data_root)]) == 0
    assert f"no errors in {NUM_IMAGES} images" in capsys.readouterr().out
    with zipfile.ZipFile(undisturbed) as archive:
        assert len(archive.namelist()) == NUM_IMAGES
        assert archive.namelist() == sorted(archive.namelist())
        with archive.open(archive.namelist()[0]) as file, Image.open(file) as image:
            assert (image.mode, image.size) == ("L", (128, 64))


@pytest.mark.parametrize(
    "options", [(), pytest.param(("--tta",), marks=pytest.mark.slow)], ids=["whole", "tta"]
)
def test_predictions_are_those_of_test_py(
    call, submit, config, checkpoint, data_root, tmp_path, options
):
    prefix = "test_dataloader.dataset.data_prefix"
    cfg_options = (f"{prefix}.img_path=leftImg8bit/test", f"{prefix}.seg_map_path=gtFine/test")
    arguments = ("--out", tmp_path / "label_ids", "--format-only", *options)
    call(
        "test", config, checkpoint, *arguments, work_dir=tmp_path / "work", cfg_options=cfg_options
    )
    out = submit(tmp_path / "results.zip", *options)
    values = set()
    with zipfile.ZipFile(out) as archive:
        for name in archive.namelist():
            with archive.open(name) as file, Image.open(file) as image:
                label_ids = np.asarray(image)
            stem = name.replace("_labelIds.png", "_leftImg8bit.png")
            expected = np.asarray(Image.open(tmp_path / "label_ids" / stem))
            np.testing.assert_array_equal(label_ids, expected)
            values |= set(np.unique(label_ids).tolist())
    assert len(values) > 1, values


@pytest.mark.slow
def test_killed_it_continues_and_makes_the_same_zip(
    undisturbed, submit, config, checkpoint, tmp_path
):
    """benchmarks/kills kills it more often, and at random moments."""
    out = tmp_path / "results.zip"
    images = tmp_path / "results_images" / "images"
    tool = (sys.executable, TOOLS / "submit.py", config, checkpoint, "--out", out, *SLIDE)
    process = subprocess.Popen(
        [*map(str, tool)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TOOLS.parent)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while process.poll() is None and len(list(images.glob("[!.]*"))) < 3:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    error = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL, error.decode()
    assert not out.exists()
    times = {path: path.stat().st_mtime_ns for path in images.glob("[!.]*")}
    assert 3 <= len(times) < NUM_IMAGES
    submit(out, *SLIDE)
    assert out.read_bytes() == undisturbed.read_bytes()
    assert times == {path: path.stat().st_mtime_ns for path in times}


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
def test_two_processes_make_the_same_zip(undisturbed, config, checkpoint, tmp_path):
    out = tmp_path / "results.zip"
    done = launch("dist_submit.sh", config, checkpoint, 2, "--out", out, *SLIDE, PORT=free_port())
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == undisturbed.read_bytes()
    assert f"no errors in {NUM_IMAGES} images\n{out} is ready for the server" in done.stdout


def test_does_not_overwrite_by_default(submit, undisturbed):
    before = undisturbed.read_bytes()
    with pytest.raises(OutputError, match=r"results\.zip exists"):
        submit(undisturbed, *SLIDE)
    with pytest.raises(OutputError, match=r"results_images .*inference"):
        submit(undisturbed, "--overwrite")
    assert undisturbed.read_bytes() == before
    submit(undisturbed, *SLIDE, "--overwrite")
    assert undisturbed.read_bytes() == before


@pytest.mark.slow
def test_images_of_other_threads_or_another_order_of_classes_are_not_mixed_in(
    submit, load_tool, write_config, data_root, checkpoint, undisturbed, tmp_path
):
    """With another number of threads sums are rounded otherwise."""
    shutil.copytree(undisturbed.with_name("results_images"), tmp_path / "results_images")
    torch.set_num_threads(2)
    try:
        message = r"device \(cpu with OMP_NUM_THREADS=1 before, cpu with OMP_NUM_THREADS=2 now\)"
        with pytest.raises(OutputError, match=message):
            submit(tmp_path / "results.zip", *SLIDE)
    finally:
        torch.set_num_threads(1)
    other = write_config(
        test_dataloader__dataset__data_root=str(data_root),
        test_dataloader__dataset__metainfo={
            "classes": CITYSCAPES_CLASSES[1::-1] + CITYSCAPES_CLASSES[2:]
        },
    )
    with pytest.raises(OutputError, match=r"label ids \(7 8 11 .* before, 8 7 11 .* now\)"):
        load_tool("submit")(
            [other, str(checkpoint), "--out", str(tmp_path / "results.zip"), *map(str, SLIDE)]
        )
    assert submit(tmp_path / "results.zip", *SLIDE).read_bytes() == undisturbed.read_bytes()


def test_rejects_what_does_not_fit(submit, load_tool, config, tmp_path):
    with pytest.raises(ConfigError, match=r"\.zip"):
        submit(tmp_path / "results")
    out = tmp_path / "results.zip"
    with pytest.raises(GloReSegError, match="leftImg8bit/train2"):
        submit(out, "--split", "train2")
    cfg = load_config(config, cfg_options={"model.decode_head.num_classes": 11})
    torch.save({"state_dict": build_model(cfg).state_dict()}, tmp_path / "few.pth")
    few = str(tmp_path / "few.pth")
    for file, options, message in (
        ("none.pth", [], r"none\.pth"),
        (few, [], r"few\.pth"),
        (few, ["--cfg-options", "model.decode_head.num_classes=11"], "num_classes is 11"),
    ):
        with pytest.raises(GloReSegError, match=message):
            load_tool("submit")([config, file, "--out", str(out), *options])
    assert [path.name for path in tmp_path.iterdir()] == ["few.pth"]
