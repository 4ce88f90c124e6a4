"""Several processes over gloo: stops, a lost one, a restart by torchrun, a port in use."""

import json
import signal

import pytest
import torch

from benchmarks.kills.checkpoints import compare
from glore_seg.engine import PeerHeartbeatHook
from tests.engine.conftest import run_python
from tests.engine.distributed_restarts import AVERAGE, signal_at, write_config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folder of the trainings of tests/engine/distributed_restarts.py, and how they ended."""
    folder = tmp_path_factory.mktemp("several")
    done = run_python("-m", "tests.engine.distributed_restarts", folder)
    assert done.returncode == 0, done.stderr
    return folder, json.loads((folder / "found.json").read_text())


def test_one_process_gets_a_signal_and_all_stop(runs):
    folder, found = runs
    assert found["undisturbed"]["codes"] == [0, 0], found["undisturbed"]["said"]
    assert found["stopped"]["codes"] == [143, 143]
    names = ["best_score_iter_4.pth", "iter_4.pth", "iter_6.pth", "iter_7.pth"]
    assert found["stopped"]["files"] == names
    for said in found["stopped"]["said"]:
        assert said.splitlines()[-1] == (
            f"stopped by SIGTERM at iteration 7: {folder}/stopped/iter_7.pth is saved; go on with "
            "--resume"
        )


def test_a_stopped_run_goes_on_bit_for_bit(runs):
    """Scores too, of norms whose statistics differ between the processes."""
    folder, found = runs
    assert found["resumed"]["codes"] == [0, 0], found["resumed"]["said"]
    assert compare(folder / "undisturbed", folder / "stopped") == []


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("killed", -9, "error: process {rank} of 3 has lost another one ("),
        # As a machine without current or network: no connection is closed.
        ("frozen", None, "error: process 1 of 3 has given no sign of life for 4 s"),
        ("raised", 1, "error: process 1 of 3 has given no sign of life for 3 s"),
    ],
)
def test_a_lost_process_ends_the_others(runs, name, code, line):
    _, found = runs
    assert found[name]["codes"] == [75, code, 75], found[name]["said"]
    assert name != "frozen" or found[name]["seconds"] < 60
    for rank in (0, 2):
        said = found[name]["said"][rank]
        assert said.splitlines()[-1].startswith(line.format(rank=rank))
        assert "Traceback" not in said or name == "raised"


def test_an_error_in_the_search_for_a_checkpoint_is_raised_in_all(runs):
    """It was raised in the first process alone, and the others waited for its answer."""
    _, found = runs
    assert found["unreadable"]["codes"] == [1, 1]
    for said in found["unreadable"]["said"]:
        assert "OSError: [Errno 5] Input/output error: 'iter_2.pth'" in said


def test_a_loss_that_is_not_finite_in_one_process(runs):
    folder, found = runs
    assert found["stop_nan"]["codes"] == [2, 2]
    lines = [said.splitlines()[-1] for said in found["stop_nan"]["said"]]
    assert sum("(nan): toys/" in line for line in lines) == 1
    assert sum("of another process" in line for line in lines) == 1
    assert found["skip_nan"]["codes"] == [0, 0]
    weights = torch.load(folder / "skip_nan" / "iter_12.pth", weights_only=False)["state_dict"]
    assert all(value.isfinite().all() for value in weights.values())


def test_a_restart_on_several_machines_asks_for_a_store_of_its_own(runs):
    _, found = runs
    assert found["machines"]["codes"] == [2]
    assert "export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1" in found["machines"]["said"][0]


def test_torchrun_restarts_and_ends_bit_for_bit(runs, tmp_path):
    folder, _ = runs
    hooks = [AVERAGE, signal_at(tmp_path, "run", signal.SIGKILL)]
    done = run_python(
        *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=1"),
        *("tools/train.py", write_config(tmp_path, "run", custom_hooks=hooks)),
        *("--launcher", "pytorch", "--resume"),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run.mark").exists()
    assert f"{tmp_path}/run/iter_6.pth" in done.stdout + done.stderr
    assert compare(folder / "undisturbed", tmp_path / "run") == []


def test_seconds_of_silence():
    with pytest.raises(
        ValueError, match=r"after_s of PeerHeartbeatHook is 0; expected seconds, abo"
    ):
        PeerHeartbeatHook(after_s=0)
