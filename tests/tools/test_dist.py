"""The launchers: two processes do what one does, and Slurm is asked for the right thing."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from glore_seg.apis import load_config
from glore_seg.engine import build_runner
from tests.configs.shrinking import name_run
from tests.forked import free_port

TOOLS = Path(__file__).parents[2] / "tools"
SETTINGS = {"OMP_NUM_THREADS": "1", "PYTHON": sys.executable}


def launch(script, *arguments, **environment):
    return subprocess.run(
        [str(TOOLS / script), *map(str, arguments)],
        env={**os.environ, **SETTINGS, **{key: str(value) for key, value in environment.items()}},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def config(write_config):
    """A network that no batch statistic and no chance enters, and whose unit is no identity."""
    norm_cfg = {"_delete_": True, "type": "GN", "num_groups": 8}
    return write_config(
        train_cfg__max_iters=3,
        train_cfg__val_interval=3,
        param_scheduler__0__end=5,
        # The norm of the unit is the head's.
        model__backbone__norm_cfg=norm_cfg,
        model__decode_head__norm_cfg=norm_cfg,
        model__decode_head__unit_cfg={"zero_init": False},
        train_dataloader__dataset__pipeline=[
            {"type": "LoadImageFromFile"},
            {"type": "LoadCheckedAnnotations"},
            {"type": "PackSegInputs"},
        ],
        model__data_preprocessor__size=(64, 128),
        log_level="INFO",
    )


@pytest.fixture(scope="module")
def runs(call, config, tmp_path_factory):
    """The same training by one process with a batch of 4 and by two with 2 each."""
    folder = tmp_path_factory.mktemp("runs")
    batch = "train_dataloader.batch_size"
    call("train", config, work_dir=folder / "one", cfg_options=(f"{batch}=4",))
    done = launch(
        "dist_train.sh",
        config,
        2,
        *("--work-dir", folder / "two"),
        *("--cfg-options", f"{batch}=2", "experiment_name=two words"),
        PORT=free_port(),
    )
    assert done.returncode == 0, done.stderr
    return folder


def state(path):
    return torch.load(path, map_location="cpu", weights_only=False)["state_dict"]


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
def test_two_processes_train_as_one_with_the_double_batch(runs, config):
    one, two = (state(runs / name / "iter_3.pth") for name in ("one", "two"))
    runner = build_runner(name_run(load_config(config), runs / "before_training"))
    runner.model.init_weights()
    start = runner.model.state_dict()
    assert one.keys() == two.keys()
    assert not any("running_mean" in key for key in one)
    moved = {key: (one[key] - start[key]).abs().max().item() for key in one}
    # Convolutions and scales have all moved, those of the unit among them.
    assert moved["decode_head.units.0.gcn.conv2.weight"] > 1e-4
    assert moved["backbone.layer1.0.conv1.weight"] > 1e-4
    # The sums of the gradient are the same in another order (two means of two images instead
    # of one of four), and the rounding of fp32, 6e-8, grows over three steps of SGD at 0.05.
    for key, value in one.items():
        difference = (two[key] - value).abs().max().item()
        assert difference <= 2e-6, key
        assert difference <= 1e-3 * max(moved[key], 1e-3), key


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
def test_two_processes_score_as_one(runs, config, call, tmp_path):
    checkpoint = runs / "one" / "iter_3.pth"
    alone = call("test", config, checkpoint, work_dir=tmp_path / "one")
    done = launch(
        "dist_test.sh", config, checkpoint, 2, "--work-dir", tmp_path / "two", PORT=free_port()
    )
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "two").glob("*/*.json")
    together = json.loads(file.read_text())
    assert together["mIoU"] == pytest.approx(alone["mIoU"], abs=0.01)


@pytest.mark.parametrize(
    ("script", "arguments", "usage"),
    [
        ("dist_train.sh", ["config.py"], "tools/dist_train.sh CONFIG NUM_PROCESSES"),
        ("dist_test.sh", ["config.py", "a.pth"], "tools/dist_test.sh CONFIG CHECKPOINT NUM_"),
        ("dist_submit.sh", ["config.py", "a.pth"], "tools/dist_submit.sh CONFIG CHECKPOINT NUM_"),
        ("slurm_train.sh", ["p", "job"], "tools/slurm_train.sh PARTITION JOB_NAME CONFIG"),
        ("slurm_test.sh", ["p", "job", "c.py"], "slurm_test.sh PARTITION JOB_NAME CONFIG CHECK"),
        ("slurm_submit.sh", ["p", "job", "c.py"], "slurm_submit.sh PARTITION JOB_NAME CONFIG "),
    ],
)
def test_scripts_run_and_print_their_usage(script, arguments, usage):
    for given in ([], arguments):
        done = launch(script, *given)
        assert done.returncode == 2
        assert done.stdout == ""
        assert usage in done.stderr
        assert not done.stderr.startswith("#")
        assert "set -euo" not in done.stderr


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = launch("dist_train.sh", "config.py", 2, PORT=str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: PORT {port} is in use on this machine, by another training perhaps; expected a "
        "free port: set PORT to another one, on one machine leave it out\n"
    )


@pytest.fixture
def srun(tmp_path):
    """Stands in for Slurm, which is not here: prints what it is given, one argument a line."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "srun").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\necho "PYTHONPATH=$PYTHONPATH"\n')
    (folder / "srun").chmod(0o755)

    def run(script, *arguments, **environment):
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        done = launch(script, *arguments, PATH=path, PYTHON="python3", **environment)
        assert done.returncode == 0, done.stderr
        *lines, python_path = done.stdout.splitlines()
        first = Path(python_path.removeprefix("PYTHONPATH=").split(os.pathsep)[0])
        assert first.resolve() == TOOLS.parent
        return lines

    return run


def test_slurm_is_asked_for_the_tasks_and_gets_arguments_whole(srun):
    options = ["--work-dir", "a folder", "--cfg-options", 'work="[1, 2]"']
    lines = srun("slurm_train.sh", "gpu", "my job", "config.py", *options)
    assert lines == [
        *("--partition", "gpu", "--job-name", "my job", "--gres", "gpu:8"),
        *("--ntasks", "8", "--ntasks-per-node", "8", "--cpus-per-task", "8"),
        *("--kill-on-bad-exit=1", "python3", "-u", str(TOOLS / "train.py"), "config.py"),
        *(*options, "--launcher", "slurm"),
    ]


@pytest.mark.parametrize(
    ("gpus", "per_node", "tasks_per_node"), [("16", "8", "8"), ("4", "8", "4"), ("2", "1", "1")]
)
def test_slurm_settings_from_the_environment(srun, gpus, per_node, tasks_per_node):
    lines = srun(
        "slurm_test.sh",
        *("gpu", "glore", "config.py", "a.pth", "--tta"),
        GPUS=gpus,
        GPUS_PER_NODE=per_node,
        CPUS_PER_TASK="3",
        SRUN_ARGS="--time 60 --exclusive",
    )
    assert lines == [
        *("--partition", "gpu", "--job-name", "glore", "--gres", f"gpu:{tasks_per_node}"),
        *("--ntasks", gpus, "--ntasks-per-node", tasks_per_node, "--cpus-per-task", "3"),
        *("--kill-on-bad-exit=1", "--time", "60", "--exclusive", "python3", "-u"),
        *(str(TOOLS / "test.py"), "config.py", "a.pth", "--tta", "--launcher", "slurm"),
    ]
