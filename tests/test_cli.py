"""Exit codes of the tools, errors in one line, and options that the tools share."""

import argparse
import os
import signal
import subprocess
import sys

import pytest
from torch._utils import ExceptionWrapper

from glore_seg.cli import add_cfg_options, one_line, run_tool, set_launcher
from glore_seg.engine import TrainingStopped
from glore_seg.errors import ConfigError, DataError, GloReSegError


def raises(error):
    def main():
        raise error

    return main


def test_own_errors_are_one_line(capsys):
    with pytest.raises(SystemExit) as end:
        run_tool(raises(DataError("a.png:\n  is truncated")))
    assert end.value.code == 2
    assert capsys.readouterr().err == "error: a.png: is truncated\n"


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), OSError(2, "x"), RuntimeError()])
def test_other_errors_keep_their_traceback(error):
    with pytest.raises(type(error)) as raised:
        run_tool(raises(error))
    assert raised.value is error


@pytest.mark.parametrize(("result", "code"), [(None, 0), (1, 1), ({"mIoU": 50.0}, 0)])
def test_exit_code_of_a_result(result, code):
    with pytest.raises(SystemExit) as end:
        run_tool(lambda: result)
    assert end.value.code == code


@pytest.mark.parametrize(
    ("error", "resumable", "code", "said"),
    [
        (TrainingStopped(143, "iter_3.pth is saved"), False, 143, "iter_3.pth is saved\n"),
        (KeyboardInterrupt(), False, 130, "\ninterrupted\n"),
        (
            KeyboardInterrupt(),
            True,
            130,
            "\ninterrupted: run the same command again to continue\n",
        ),
    ],
)
def test_exit_code_of_a_signal(error, resumable, code, said, capsys):
    with pytest.raises(SystemExit) as end:
        run_tool(raises(error), resumable=resumable)
    assert end.value.code == code
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\n  lines\there", "two lines here"),
        ("a\x1b[2Jb\u202ec", "a\\x1b[2Jb\\u202ec"),
        ("", "DataError"),
        ("x" * 3000, "x" * 1996 + " ..."),
    ],
)
def test_one_printable_line(text, line):
    assert one_line(DataError(text)) == line


def test_an_error_of_a_data_worker_is_without_its_traceback():
    try:
        raise DataError("a.png is truncated")
    except DataError:
        wrapper = ExceptionWrapper(sys.exc_info(), where="in DataLoader worker process 0")
    with pytest.raises(GloReSegError, match="Traceback") as raised:
        wrapper.reraise()
    assert one_line(raised.value) == "a.png is truncated"


GROUP = """
import atexit, sys
import torch.distributed as dist
from glore_seg.cli import run_tool
from glore_seg.engine import leave_process_group

store = dist.FileStore(sys.argv[1], 1)
dist.init_process_group("gloo", store=store, rank=0, world_size=1)
atexit.register(print, "closed")


def main():
    leave_process_group()
    print("done")
    return 3


run_tool(main)
"""


@pytest.mark.slow
def test_a_process_of_gloo_exits_at_once_and_in_order(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", GROUP, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (3, "done\nclosed\n"), done.stderr


INTERRUPTED = """
import signal, time
from glore_seg.cli import run_tool
from glore_seg.utils.parallel import map_in_processes

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background job

def main():
    # the first worker waits for more while the second is at work
    for _ in map_in_processes(time.sleep, [0, 2], 2, chunksize=1):
        print("at work", flush=True)

run_tool(main, resumable=True)
"""


@pytest.mark.slow
def test_ctrl_c_ends_the_workers_silently():
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
    assert error == "\ninterrupted: run the same command again to continue\n"


@pytest.mark.parametrize("word", ["model", "model=(1,[2)", "model=[1,2"])
def test_an_option_that_is_not_key_value(word, capsys):
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["--cfg-options", "a=1", word])
    assert f"'{word}' is not KEY=VALUE" in capsys.readouterr().err


def test_cfg_options():
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    args = parser.parse_args(["--cfg-options", "a.b=1", "c=[x,(2,3)]", "d=None"])
    assert args.cfg_options == {"a.b": 1, "c": ["x", (2, 3)], "d": None}


def test_several_processes_need_a_launcher(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with pytest.raises(ConfigError, match=r"WORLD_SIZE is 2"):
        set_launcher("none", 0)
    set_launcher("pytorch", 3)
    assert os.environ["LOCAL_RANK"] == "3"
    monkeypatch.setenv("WORLD_SIZE", "1")
    set_launcher("none", 0)
    assert os.environ["LOCAL_RANK"] == "3"
