"""Trainings of several processes by tools/train.py; their ends are written to a folder."""

import atexit
import json
import runpy
import signal
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

from glore_seg.cli import run_tool
from glore_seg.engine import PeerHeartbeatHook
from tests.engine.toy import config
from tests.fixtures import REPOSITORY
from tests.forked import Forked


def write_config(folder: Path, name: str, **changes) -> Path:
    cfg = config(folder / name, **changes)
    cfg.default_scope = "mmseg"
    cfg.custom_imports = {"imports": ["tests.engine.toy"]}
    cfg.train_dataloader.batch_size = 2
    path = folder / f"{name}.py"
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in cfg.to_dict().items()))
    return path


def signal_at(folder: Path, name: str, signum: int) -> dict:
    mark = str(folder / f"{name}.mark")
    return {"type": "SignalAt", "rank": 1, "iteration": 7, "signum": int(signum), "mark": mark}


AVERAGE = {"type": "EMAHook", "momentum": 0.1}


def train(path: Path) -> None:
    torch.set_num_threads(1)
    tool = runpy.run_path(str(REPOSITORY / "tools" / "train.py"))
    run_tool(lambda: tool["main"]([str(path), "--launcher", "pytorch", "--resume"]))


def raise_in_one() -> None:
    """The others do not wait for a message, so no broken connection ends them."""
    dist.init_process_group("gloo")
    hook = PeerHeartbeatHook(after_s=3.0)
    hook.before_run(None)
    try:
        if dist.get_rank() == 1:
            raise ValueError("mine")
        time.sleep(30)
    finally:  # as the interpreter's end does, which a forked process skips
        atexit._run_exitfuncs()


def main(folder: Path) -> None:
    found = {}

    def run(name: str, number: int, path: Path, **env) -> None:
        begin = time.monotonic()
        forked = Forked(number, train, path, out=folder / f"{name}.out", **env)
        codes = forked.wait(frozen=(1,) if name == "frozen" else ())
        seconds = time.monotonic() - begin
        found[name] = {"codes": codes, "said": forked.said(), "seconds": seconds}

    run("undisturbed", 2, write_config(folder, "undisturbed"))
    stopped = write_config(
        folder, "stopped", custom_hooks=[AVERAGE, signal_at(folder, "stopped", signal.SIGTERM)]
    )
    run("stopped", 2, stopped)
    found["stopped"]["files"] = sorted(path.name for path in (folder / "stopped").glob("*.pth"))
    run("resumed", 2, stopped)
    for name, signum in (("killed", signal.SIGKILL), ("frozen", signal.SIGSTOP)):
        heartbeat = {"type": "PeerHeartbeatHook", "after_s": 4.0}
        hooks = [AVERAGE, signal_at(folder, name, signum), heartbeat]
        run(name, 3, write_config(folder, name, custom_hooks=hooks))
    hook = {"type": "UnreadableCheckpoints", "by_epoch": False}
    run("unreadable", 2, write_config(folder, "unreadable", default_hooks__checkpoint=hook))
    for action in ("stop", "skip"):
        name = f"{action}_nan"
        nan = {"train_dataloader__dataset__nan": [5], "train_cfg__nonfinite_loss": action}
        run(name, 2, write_config(folder, name, **nan))
    forked = Forked(3, raise_in_one, out=folder / "raised.out")
    found["raised"] = {"codes": forked.wait(), "said": forked.said()}
    restarted = {"TORCHELASTIC_RESTART_COUNT": 1, "TORCHELASTIC_USE_AGENT_STORE": True}
    run("machines", 1, stopped, GROUP_WORLD_SIZE=2, **restarted)
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
