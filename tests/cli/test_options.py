"""What every tool does with its mistakes and its launcher."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from mmengine.registry import Registry

from glore_seg.apis import load_config
from glore_seg.cli.options import run_tool, set_launcher
from glore_seg.datasets import CheckedCityscapesDataset
from glore_seg.visualization import find_boxes


def bug_of_numpy():
    return find_boxes(np.zeros((2, 3, 4)), 1)  # unpacks three sizes into two names


def own_error_through_a_registry():
    registry = Registry("test", scope="glore_seg")
    registry.register_module(module=LoadNothing)
    registry.build({"type": "LoadNothing"})


class LoadNothing:
    def __init__(self):
        find_boxes(np.zeros((2, 2)), -1)


@pytest.mark.parametrize(
    ("main", "message"),
    [
        (lambda: find_boxes(np.zeros((2, 2)), -1), "number of boxes is -1; expected 0 or more"),
        (own_error_through_a_registry, "number of boxes is -1; expected 0 or more"),
        (lambda: load_config("none.py"), "config 'none.py' does not exist"),
        (lambda: open("none.txt"), "[Errno 2] No such file or directory: 'none.txt'"),  # noqa: SIM115
    ],
)
def test_what_a_user_can_mend_is_one_line(main, message, capsys):
    with pytest.raises(SystemExit) as end:
        run_tool(main)
    shown = capsys.readouterr().err
    assert end.value.code == 2
    assert re.fullmatch(rf"error: .*{re.escape(message)}.*\n", shown), shown


@pytest.mark.parametrize(
    ("main", "error"),
    [
        (bug_of_numpy, ValueError),
        (lambda: np.zeros(2) + np.zeros(3), ValueError),
        (lambda: CheckedCityscapesDataset(wrong=1), TypeError),
        (lambda: {}["key"], KeyError),
    ],
)
def test_mistakes_of_the_code_keep_their_traceback(main, error):
    with pytest.raises(error):
        run_tool(main)


@pytest.mark.parametrize(("result", "code"), [(None, 0), (1, 1), ({"mIoU": 50.0}, 0)])
def test_the_exit_code(result, code):
    with pytest.raises(SystemExit) as end:
        run_tool(lambda: result)
    assert end.value.code == code


def test_several_processes_need_a_launcher(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with pytest.raises(ValueError, match=r"WORLD_SIZE is 2, .*: add --launcher pytorch, or use to"):
        set_launcher("none", 0)
    with pytest.raises(ValueError, match=r"--launcher is pytorch, and RANK, which torchrun sets"):
        set_launcher("pytorch", 0)
    monkeypatch.setenv("RANK", "0")
    set_launcher("pytorch", 0)
    monkeypatch.setenv("WORLD_SIZE", "1")
    set_launcher("none", 0)


GROUP = """
import atexit, sys
import torch.distributed as dist
from glore_seg.engine import leave_process_group
from glore_seg.cli.options import run_tool

store = dist.FileStore(sys.argv[1], 1)
dist.init_process_group("gloo", store=store, rank=0, world_size=1)
atexit.register(print, "closed")


def main():
    leave_process_group()
    print("done")
    return 3


run_tool(main)
"""


def test_a_process_of_gloo_ends_at_once_and_in_order(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", GROUP, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (3, "done\nclosed\n"), done.stderr


DEADLY = """
import os, signal
from torch.utils.data import DataLoader, Dataset
from glore_seg.cli.options import run_tool

class Deadly(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return index

run_tool(lambda: list(DataLoader(Deadly(), batch_size=1, num_workers=1)))
"""


def test_a_data_worker_that_dies_is_one_line():
    """In a process of its own: torch's handler of dead workers would fail later tests here."""
    done = subprocess.run(
        [sys.executable, "-c", DEADLY], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert re.fullmatch(
        r"error: a data worker died \(DataLoader worker \(pid.*num_workers lower, then .*\n",
        done.stderr,
    ), done.stderr


def test_other_errors_of_torch_keep_their_traceback():
    with pytest.raises(RuntimeError, match="another"):
        run_tool(lambda: (_ for _ in ()).throw(RuntimeError("another")))


@pytest.mark.parametrize("goes_on", [False, True])
def test_ctrl_c_is_one_line(goes_on, capsys):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        run_tool(interrupted, goes_on=goes_on)
    assert end.value.code == 130
    rest = ": the same command goes on where it stopped" if goes_on else ""
    assert capsys.readouterr().err == f"\ninterrupted{rest}\n"


INTERRUPTED = """
import signal, time
from glore_seg.utils.parallel import map_in_processes
from glore_seg.cli.options import run_tool

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it

def main():
    # the first worker waits for more while the second is at work
    for _ in map_in_processes(time.sleep, [0, 2], 2, chunksize=1):
        print("at work", flush=True)

run_tool(main, goes_on=True)
"""


def test_ctrl_c_reaches_the_workers_and_they_say_nothing():
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "at work\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert error == "\ninterrupted: the same command goes on where it stopped\n"
