"""Kill tools/train.py at random moments: it must end as an undisturbed run, bit for bit.

A kill (SIGKILL) comes at a moment drawn evenly from what an undisturbed run would still need:
starting, training, saving and validating. The run has data workers, random augmentation, dropout,
an exponential moving average, a schedule, a best checkpoint and retention, and after each kill it
goes on with --resume. Weights, optimiser, schedule, average and logged losses are compared.

Example:
    python benchmarks/kill_train.py --kills 10
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

import glore_seg
from glore_seg.compat.checkpoints import load_weights
from glore_seg.datasets import make_street_scenes
from glore_seg.engine.long_runs import damage_of

REPOSITORY = Path(__file__).parents[1]
CONFIG = REPOSITORY / "configs" / "fcn_r18_glore_street-scenes.py"
PARTS = ("state_dict", "ema_state_dict", "optimizer", "param_schedulers")
SETTINGS = """
_base_ = {base!r}
custom_hooks = [dict(type="SetupCheckHook"), dict(type="EMAHook", momentum=0.1)]
data = dict(num_workers=2, persistent_workers=True, dataset=dict(data_root={data!r}))
train_dataloader = dict(batch_size=2, **data)
val_dataloader = dict(**data)
train_cfg = dict(max_iters={iters}, val_interval=4)
param_scheduler = [dict(type="PolyLR", power=0.9, begin=0, end={iters}, by_epoch=False)]
default_hooks = dict(
    checkpoint=dict(interval=2, max_keep_ckpts=2, save_best="mIoU"), logger=dict(interval=1)
)
randomness = dict(seed=0)
"""


def prepare(folder: Path, iters: int) -> Path:
    data = make_street_scenes(
        folder / "data", num_train=6, num_val=2, num_test=1, size=(128, 256), progress=False
    )
    config = folder / "small.py"
    config.write_text(SETTINGS.format(base=str(CONFIG), data=str(data), iters=iters))
    return config


def start(config: Path, work_dir: Path) -> subprocess.Popen:
    command = [sys.executable, REPOSITORY / "tools" / "train.py", config, "--resume"]
    command += ["--work-dir", work_dir]
    return subprocess.Popen(  # noqa: S603  the command is ours
        [str(part) for part in command],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run(config: Path, work_dir: Path) -> tuple[float, float]:
    """Let it end; return the seconds until its first checkpoint is there, and until the end."""
    begin = time.monotonic()
    process = start(config, work_dir)
    started = None
    while process.poll() is None:
        if started is None and list(work_dir.glob("iter_*.pth")):
            started = time.monotonic() - begin
        time.sleep(0.01)
    if process.returncode:
        sys.exit(f"the tool failed without being killed:\n{process.stderr.read().decode()}")
    return started or 0.0, time.monotonic() - begin


def done_in(work_dir: Path) -> int:
    """Iterations in the newest checkpoint."""
    return max((int(path.stem[5:]) for path in work_dir.glob("iter_*.pth")), default=0)


def differences(one: Any, other: Any, name: str = "") -> Iterator[str]:
    """Names of what is not the same, to the last bit."""
    if type(one) is not type(other):
        yield name
    elif isinstance(one, dict):
        if one.keys() != other.keys():
            yield f"{name}: {sorted(map(str, one.keys() ^ other.keys()))}"
        for key in one.keys() & other.keys():
            yield from differences(one[key], other[key], f"{name}.{key}")
    elif isinstance(one, list | tuple):
        if len(one) != len(other):
            yield name
        for index, pair in enumerate(zip(one, other, strict=False)):
            yield from differences(*pair, f"{name}.{index}")
    elif isinstance(one, torch.Tensor):
        if not torch.equal(one, other):
            yield name
    elif one != other and one == one:
        yield name


def compare(wanted: Path, found: Path) -> list[str]:
    """Names of what differs between the checkpoints of two work folders."""
    names = [{path.name for path in folder.glob("*.pth")} for folder in (wanted, found)]
    if names[0] != names[1]:
        return [f"files: {sorted(names[0])} and {sorted(names[1])}"]
    wrong = []
    for name in sorted(names[0]):
        pair = [load_weights(folder / name, "cpu") for folder in (wanted, found)]
        for part in PARTS:
            wrong += differences(pair[0].get(part), pair[1].get(part), f"{name}: {part}")
        logs = [
            {
                key: buffer.data[0].tolist()
                for key, buffer in one["message_hub"]["log_scalars"].items()
                if "time" not in key and "memory" not in key
            }
            for one in pair
        ]
        wrong += differences(*logs, f"{name}: logs")
    return wrong


def kill_often(folder: Path, kills: int, iters: int, seed: int) -> dict[str, object]:
    config = prepare(folder, iters)
    undisturbed = folder / "undisturbed"
    starting, whole = run(config, undisturbed)
    print(
        f"undisturbed: {whole:.1f} s, of which {starting:.1f} s to the first checkpoint",
        flush=True,
    )
    chance = random.Random(seed)  # noqa: S311  no secret
    moments: list[float] = []
    damaged: list[str] = []
    wrong: list[str] = []
    left_behind: list[str] = []
    rounds = 0
    while len(moments) < kills:
        killed = folder / f"killed_{rounds}"
        while len(moments) < kills and done_in(killed) < iters:
            left = 1 - done_in(killed) / iters
            moment = chance.uniform(0, starting + left * (whole - starting))
            process = start(config, killed)
            try:
                _, said = process.communicate(timeout=moment)
                if process.returncode:
                    sys.exit(f"the tool failed without being killed:\n{said.decode()}")
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                moments.append(moment)
                half = len(list(killed.glob(".*unfinished*")))
                print(
                    f"kill {len(moments):2} after {moment:4.1f} s: iteration {done_in(killed)} of "
                    f"{iters} is saved{', a file was being written' if half else ''}",
                    flush=True,
                )
                damaged += [str(path) for path in killed.glob("*.pth") if damage_of(path)]
        run(config, killed)
        rounds += 1
        wrong += compare(undisturbed, killed)
        left_behind += [str(path) for path in killed.glob(".*unfinished*")]
        print(f"run {rounds} has ended: {wrong[:5] or 'the same'}", flush=True)
    return {
        "version": glore_seg.__version__,
        "kills": len(moments),
        "moments_s": moments,
        "iterations": iters,
        "runs_compared": rounds,
        "differences": wrong,
        "damaged": damaged,
        "left_behind": left_behind,
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=10, help="default: 10")
    parser.add_argument("--iters", type=int, default=12, help="of the training (default: 12)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--json", type=Path, help="file for the result")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        result = kill_often(Path(folder), args.kills, args.iters, args.seed)
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n")
    good = not (result["differences"] or result["damaged"] or result["left_behind"])
    print(
        f"killed {result['kills']} times in {result['runs_compared']} runs: "
        f"{'all end as the undisturbed one, bit for bit' if good else f'NOT the same: {result}'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
