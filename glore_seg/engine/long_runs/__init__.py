"""Trainings of days: whole checkpoints, stops that save, restarts that go on bit for bit."""

from glore_seg.engine.long_runs.good_checkpoints import damage_of, find_resumable
from glore_seg.engine.long_runs.resumable_loops import ResumableEpochLoop, ResumableIterLoop
from glore_seg.engine.long_runs.setup import make_resumable, use_resume
from glore_seg.engine.long_runs.stop_signals import TrainingStopped
from glore_seg.engine.long_runs.whole_checkpoint_hook import WholeCheckpointHook

__all__ = [
    "ResumableEpochLoop",
    "ResumableIterLoop",
    "TrainingStopped",
    "WholeCheckpointHook",
    "damage_of",
    "find_resumable",
    "make_resumable",
    "use_resume",
]
