"""Registered hooks."""

from glore_seg.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from glore_seg.engine.hooks.clip_visualization_hook import ClipVisualizationHook
from glore_seg.engine.hooks.early_stopping_hook import ResumableEarlyStoppingHook
from glore_seg.engine.hooks.peer_heartbeat_hook import PeerHeartbeatHook
from glore_seg.engine.hooks.pretrained_weights_hook import PretrainedWeightsHook
from glore_seg.engine.hooks.progress_bar_hook import ProgressBarHook
from glore_seg.engine.hooks.setup_check_hook import SetupCheckHook
from glore_seg.engine.hooks.validation_loss_hook import ValidationLossHook

__all__ = [
    "AtomicCheckpointHook",
    "ClipVisualizationHook",
    "PeerHeartbeatHook",
    "PretrainedWeightsHook",
    "ProgressBarHook",
    "ResumableEarlyStoppingHook",
    "SetupCheckHook",
    "ValidationLossHook",
]
