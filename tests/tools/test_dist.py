"""Several processes on a machine without a GPU, and how the shell scripts call the tools."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).parents[2]
TOOLS = REPOSITORY / "tools"

# Norms over channels, no dropout, no random transforms: nothing depends on how a batch is cut.
CONFIG = """
_base_ = "{repository}/configs/fcn_r18_glore_street-scenes.py"
norm_cfg = dict(type="GN", num_groups=4, _delete_=True)
model = dict(
    data_preprocessor=dict(size=(64, 128)),
    backbone=dict(base_channels=8, stem_channels=8, norm_cfg=norm_cfg),
    decode_head=dict(
        in_channels=64, channels=16, num_nodes=4, num_states=8, norm_cfg=norm_cfg,
        dropout_ratio=0.0, unit_cfg=dict(zero_init=False),
    ),
)
pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadCheckedAnnotations"),
    dict(type="PackSegInputs"),
]
dataset = dict(data_root="{data_root}", pipeline=pipeline)
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dataset)
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dataset)
test_dataloader = val_dataloader
train_cfg = dict(max_iters=3, val_interval=3)
param_scheduler = [dict(type="PolyLR", eta_min=0.0, power=0.9, begin=0, end=4, by_epoch=False)]
default_hooks = dict(checkpoint=dict(interval=3, save_best=None))
randomness = dict(seed=0)
"""


def free_port() -> str:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return str(server.getsockname()[1])


def run(command, **env):
    return subprocess.run(
        command,
        env={**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1", **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a GPU")
def test_two_processes_train_as_one_with_the_doubled_batch(street_scenes, tmp_path):
    config = tmp_path / "small.py"
    config.write_text(CONFIG.format(repository=REPOSITORY, data_root=street_scenes))
    weights = []
    for processes, batch in ((2, 2), (1, 4)):
        work_dir = tmp_path / str(processes)
        options = ["--work-dir", work_dir, "--cfg-options", f"train_dataloader.batch_size={batch}"]
        if processes == 1:
            done = run([sys.executable, TOOLS / "train.py", config, *options])
        else:
            done = run([TOOLS / "dist_train.sh", config, "2", *options], PORT=free_port())
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        checkpoint = torch.load(work_dir / "iter_3.pth", weights_only=True)
        assert checkpoint["meta"]["iter"] == 3
        weights.append(checkpoint["state_dict"])
    two, one = weights
    assert list(two) == list(one)
    for name, value in one.items():
        # Three steps of fp32 sums in another order.
        torch.testing.assert_close(two[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("script", sorted(p.name for p in TOOLS.glob("*_*.sh")))
def test_scripts_parse_and_say_how_they_are_used(script):
    assert run(["bash", "-n", TOOLS / script]).returncode == 0
    done = run([TOOLS / script])
    assert done.returncode == 2
    assert f"tools/{script}" in done.stderr
    assert "CONFIG" in done.stderr


@pytest.mark.parametrize(("script", "extra"), [("train", []), ("test", ["weights.pth"])])
def test_slurm_passes_arguments_whole(script, extra, tmp_path):
    # There is no Slurm here: a stand-in shows what it would get.
    srun = tmp_path / "srun"
    srun.write_text('#!/bin/sh\nfor a in "$@"; do echo "$a"; done\n')
    srun.chmod(0o755)
    done = run(
        [TOOLS / f"slurm_{script}.sh", "gpu", "my job", "c.py", *extra, "--work-dir", "a b"],
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        GPUS="4",
        SRUN_ARGS="--time 10",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    tool = next(i for i, line in enumerate(lines) if line.endswith(f"/tools/{script}.py"))
    assert lines[:4] == ["--partition", "gpu", "--job-name", "my job"]
    assert {"gpu:4", "--ntasks", "--time"} <= set(lines[:tool])
    assert lines[tool + 1 :] == ["c.py", *extra, "--work-dir", "a b", "--launcher", "slurm"]
