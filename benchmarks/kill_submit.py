"""Kill tools/submit.py at random moments: it must end with the zip of an undisturbed run.

A kill comes at a moment drawn evenly from what an undisturbed run would still need: starting,
predicting, checking and packing. Where the zip is there already, the tool makes it anew with
--overwrite, and the old one must stay whole until then.

Example:
    python benchmarks/kill_submit.py --kills 10
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
from collections.abc import Sequence
from pathlib import Path

import torch

import glore_seg
from glore_seg.datasets import make_street_scenes
from glore_seg.engine import build_model, load_config

REPOSITORY = Path(__file__).parents[1]
CONFIG = REPOSITORY / "configs" / "fcn_r18_glore_street-scenes.py"
WINDOWS = ("--mode", "slide", "--crop-size", "64", "64", "--stride", "24", "24")


def prepare(folder: Path, num_pictures: int) -> None:
    """Scenes, and an untrained network whose classifier doesn't give one class everywhere."""
    make_street_scenes(
        folder / "data", num_train=1, num_val=1, num_test=num_pictures, progress=False
    )
    torch.manual_seed(0)
    model = build_model(load_config(str(CONFIG)))
    torch.nn.init.normal_(model.decode_head.conv_seg.weight)
    torch.save({"state_dict": model.state_dict()}, folder / "untrained.pth")


def start(folder: Path, out: Path) -> subprocess.Popen:
    command = [
        *(sys.executable, REPOSITORY / "tools" / "submit.py", CONFIG, folder / "untrained.pth"),
        *("--out", out, *WINDOWS, *(["--overwrite"] if out.exists() else [])),
        *("--cfg-options", f"test_dataloader.dataset.data_root={folder / 'data'}"),
        "test_dataloader.num_workers=0",
    ]
    return subprocess.Popen(  # noqa: S603  the command is ours
        [str(part) for part in command],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run(folder: Path, out: Path) -> tuple[float, float]:
    """Let it end; return the seconds until its folder is there, and until the end."""
    begin = time.monotonic()
    process = start(folder, out)
    started = None
    while process.poll() is None:
        if started is None and (out.with_name(f"{out.stem}_pictures")).exists():
            started = time.monotonic() - begin
        time.sleep(0.01)
    if process.returncode:
        sys.exit(f"the tool failed without being killed:\n{process.stderr.read().decode()}")
    return started or 0.0, time.monotonic() - begin


def kill_often(folder: Path, kills: int, num_pictures: int, seed: int) -> dict[str, object]:
    prepare(folder, num_pictures)
    starting, whole = run(folder, folder / "undisturbed.zip")
    wanted = (folder / "undisturbed.zip").read_bytes()
    print(f"undisturbed: {whole:.1f} s, of which {starting:.1f} s to start; {len(wanted)} bytes")
    chance = random.Random(seed)  # noqa: S311  no secret
    out = folder / "results.zip"
    pictures = folder / "results_pictures" / "pictures"
    moments: list[float] = []
    while len(moments) < kills:
        left = 1 - len(list(pictures.glob("[!.]*"))) / num_pictures
        moment = chance.uniform(0, starting + left * (whole - starting))
        process = start(folder, out)
        try:
            process.communicate(timeout=moment)
            print(f"        ended before {moment:.1f} s: not counted")
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            moments.append(moment)
            done = len(list(pictures.glob("[!.]*")))
            there = "there" if out.exists() else "not there"
            print(f"kill {len(moments):2} after {moment:4.1f} s: {done} pictures, zip {there}")
        if out.exists() and out.read_bytes() != wanted:
            sys.exit("the zip differs from the undisturbed one")
    run(folder, out)
    same = out.read_bytes() == wanted
    unfinished = [str(path) for path in folder.rglob("*") if ".unfinished." in path.name]
    return {
        "version": glore_seg.__version__,
        "kills": len(moments),
        "moments_s": moments,
        "pictures": num_pictures,
        "same_bytes": same,
        "left_behind": unfinished,
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=10, help="default: 10")
    parser.add_argument("--pictures", type=int, default=48, help="default: 48")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--json", type=Path, help="file for the result")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        result = kill_often(Path(folder), args.kills, args.pictures, args.seed)
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n")
    good = result["same_bytes"] and not result["left_behind"]
    print(
        f"killed {result['kills']} times: the zip is "
        f"{'the same, byte for byte' if good else f'NOT the same, or files stay behind: {result}'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
