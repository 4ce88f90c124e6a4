"""Damaged files and dying workers of a training, by name."""

import logging
import re
import time
from collections.abc import Sequence

import torch
from mmengine.logging import print_log
from mmengine.runner import Runner

from glore_seg.engine.per_sample_seed_dataset import Batch, PerSampleSeedDataset, SampleFault
from glore_seg.errors import ConfigError

_DAMAGED = "damaged_files"  # in the message hub, which checkpoints keep
_PID = re.compile(r"DataLoader worker \(pid(?:\(s\))? (\d+)")
_WAIT_S = 1.0  # for the system to say that a process whose connection broke has ended


class DataFaults:
    """Keeps count of damaged files.

    Args:
        runner: Reports what is passed over, and keeps it over a restart.
        dataset: The training's.
        max_corrupted_share: Share of the dataset that may be damaged, 0 to below 1; 0 stops at the
            first damaged file.

    Raises:
        ConfigError: ``max_corrupted_share`` is out of its range.
    """

    def __init__(
        self, runner: Runner, dataset: PerSampleSeedDataset, max_corrupted_share: float
    ) -> None:
        self._runner = runner
        self._dataset = dataset
        self._share = max_corrupted_share

    def check(self, batch: Batch) -> object:
        """Give the batch of the host's, report what was damaged, or stop.

        Raises:
            ConfigError: Files are damaged, more than may be, or the pipeline fails.
        """
        if batch.damaged:
            self._report(batch.damaged)
        if batch.data is None:
            raise ConfigError(
                f"{batch.damaged[-1].text}, and neither can the samples that follow it: mend "
                "the dataset"
            )
        return batch.data

    def _report(self, damaged: Sequence[SampleFault]) -> None:
        hub = self._runner.message_hub
        known = list(hub.get_info(_DAMAGED, []))
        new = {one.path: one for one in damaged if one.path not in known}
        known += new
        most = int(self._share * len(self._dataset))
        if len(known) > most:
            raise ConfigError(
                f"{next(iter(new.values()), damaged[0]).text}. {len(known)} of "
                f"{len(self._dataset)} samples are damaged; expected {most} at most "
                f"(train_cfg.max_corrupted_share={self._share:g}): get the file again, or set a "
                "share that may be passed over"
            )
        hub.update_info(_DAMAGED, known)
        for one in new.values():
            print_log(
                f"{one.text}; the next sample takes its place ({len(known)} of {most} that may "
                "be damaged)",
                logger="current",
                level=logging.WARNING,
            )

    def named(self, error: Exception) -> BaseException | None:
        """A death of a data worker with the file that it was reading; None for other errors."""
        death = death_of_worker(error)
        if death is None:
            return None
        pid, error = death
        path = self._dataset.read_by(pid)
        doing = f"while it read {path}" if path else "while it read nothing"
        return ChildProcessError(
            f"data worker {pid} died {doing} ({error}). A kill comes from too little memory as a "
            "rule: set train_dataloader.num_workers lower, look at the file, then go on with "
            "--resume"
        )


def death_of_worker(error: Exception) -> tuple[int, Exception] | None:
    """The process that died and torch's own word of it, where a data worker's death is the cause.

    What comes first is a matter of chance: torch's word, or a broken connection to the worker,
    upon which torch is asked.

    Args:
        error: What came out of the loader, or at any other place of its process.
    """
    if isinstance(error, ConnectionError | EOFError):
        end = time.monotonic() + _WAIT_S
        try:
            while time.monotonic() < end:
                torch._C._error_if_any_worker_fails()
                time.sleep(0.01)
        except RuntimeError as said:
            error = said
    found = _PID.search(str(error)) if isinstance(error, RuntimeError) else None
    return found and (int(found[1]), error)
