"""One phase, until it is killed: ``python -m benchmarks.soak.worker``.

It prints JSON lines after rounds, at most one in three seconds; the web demo first its address.
"""

import json
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch

import glore_seg  # noqa: F401  patches upstream, so before anything of OpenMMLab's
from benchmarks.soak.inputs import Inputs
from benchmarks.soak.usage import in_use
from glore_seg.apis import submit, use_output_dir, use_split, use_visualization
from glore_seg.engine import build_runner, forget_training

_SECONDS = 3.0


class Reporter:
    """Counts rounds and prints the memory in use."""

    def __init__(self) -> None:
        self._rounds = 0
        self._printed = 0.0

    def round(self, *_: object, **__: object) -> None:
        """Count a round."""
        self._rounds += 1
        if time.monotonic() - self._printed > _SECONDS:
            self._printed = time.monotonic()
            print(json.dumps({"rounds": self._rounds, **in_use()}), flush=True)


def train(inputs: Inputs, report: Callable[[], None]) -> None:
    """An endless training with workers, averaging, validation and checkpoints."""
    from mmengine.hooks import Hook

    class After(Hook):
        def after_train_iter(self, *_: object, **__: object) -> None:
            report()

    cfg = inputs.config("training")
    cfg.custom_hooks = [*cfg.get("custom_hooks", []), {"type": "EMAHook", "momentum": 0.01}]
    cfg.train_cfg.update(max_iters=10**7, val_interval=50)
    cfg.param_scheduler[0].end = 10**7
    cfg.default_hooks.checkpoint.update(interval=50, max_keep_ckpts=2, save_best="mIoU")
    cfg.default_hooks.logger.interval = 10
    runner = build_runner(cfg)
    runner.register_hook(After(), priority="LOWEST")
    runner.train()


def evaluate(inputs: Inputs, report: Callable[[], None]) -> None:
    """Repeated tests with new workers, predictions and painted images."""
    cfg = inputs.config("evaluation")
    cfg.load_from = str(inputs.checkpoint)
    cfg.test_dataloader.persistent_workers = False
    use_output_dir(cfg, str(inputs.folder / "predictions"), format_only=False)
    use_visualization(cfg, show=False, show_dir=str(inputs.folder / "painted"), wait_time=0)
    runner = build_runner(cfg)
    forget_training(runner)
    while True:
        runner.test()
        report()


def hand_in(inputs: Inputs, report: Callable[[], None]) -> None:
    """Repeated submissions, from the checkpoint to the checked zip."""
    out = inputs.folder / "results.zip"
    while True:
        cfg = inputs.config("submission")
        use_split(cfg, "test")
        submit(cfg, inputs.checkpoint, split="test", out=out, overwrite=True, progress=False)
        shutil.rmtree(out.with_name("results_images"))
        report()


def serve(inputs: Inputs, report: Callable[[], None]) -> None:
    """The web demo; its visitor counts the rounds."""
    from projects.web_demo.handlers import Handlers, Limits, load_page_models
    from projects.web_demo.serving import LOOPBACK, serving

    inputs.config("page").dump(inputs.folder / "small.py")
    models = load_page_models([inputs.checkpoint], [str(inputs.folder / "small.py")], device="cpu")
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
    with serving(Handlers(models, Limits(megabytes=0.5)), port=port) as address:
        print(json.dumps({"address": address.rstrip("/")}), flush=True)
        while True:
            time.sleep(_SECONDS)
            report()


PHASES = {"training": train, "evaluation": evaluate, "submission": hand_in, "page": serve}


def main() -> None:
    """Run a phase; arguments are its name and the folder of the inputs."""
    phase, folder = sys.argv[1:]
    torch.set_num_threads(1)
    threading.current_thread().name = phase
    PHASES[phase](Inputs(Path(folder)), Reporter().round)


if __name__ == "__main__":
    main()
