"""What a running training needs: runner, loops, samplers, hooks and optimizer wrappers."""

from glore_seg.engine.atomic_backends import AtomicLocalBackend, AtomicLocalVisBackend
from glore_seg.engine.hooks import (
    AtomicCheckpointHook,
    ClipVisualizationHook,
    PeerHeartbeatHook,
    ProgressBarHook,
    ResumableEarlyStoppingHook,
    SetupCheckHook,
    ValidationLossHook,
)
from glore_seg.engine.loops import ResumableEpochLoop, ResumableIterLoop
from glore_seg.engine.optim_wrappers import BFloat16OptimWrapper
from glore_seg.engine.runner import (
    build_dataset,
    build_model,
    build_runner,
    forget_training,
    fuse_runner,
    leave_process_group,
    make_resumable,
    use_resume,
    warn_of_other_batch,
)
from glore_seg.engine.sharding import use_fsdp
from glore_seg.engine.speed import ChannelsLastHook, use_channels_last, use_compile
from glore_seg.engine.stop_signals import TrainingStopped

__all__ = [
    "AtomicCheckpointHook",
    "AtomicLocalBackend",
    "AtomicLocalVisBackend",
    "BFloat16OptimWrapper",
    "ChannelsLastHook",
    "ClipVisualizationHook",
    "PeerHeartbeatHook",
    "ProgressBarHook",
    "ResumableEarlyStoppingHook",
    "ResumableEpochLoop",
    "ResumableIterLoop",
    "SetupCheckHook",
    "TrainingStopped",
    "ValidationLossHook",
    "build_dataset",
    "build_model",
    "build_runner",
    "forget_training",
    "fuse_runner",
    "leave_process_group",
    "make_resumable",
    "use_channels_last",
    "use_compile",
    "use_fsdp",
    "use_resume",
    "warn_of_other_batch",
]
