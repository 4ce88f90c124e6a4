"""Running things: configs fitted to the machine, mixed precision, checks of the setup."""

from glore_seg.engine.clip_visualization_hook import ClipVisualizationHook
from glore_seg.engine.complexity import Complexity, count_complexity
from glore_seg.engine.config import load_config, use_amp
from glore_seg.engine.loading import load_model
from glore_seg.engine.optim_wrapper import BFloat16OptimWrapper
from glore_seg.engine.progress_bar_hook import ProgressBarHook
from glore_seg.engine.runner import (
    build_dataset,
    build_model,
    build_runner,
    forget_training,
    fuse_runner,
    leave_process_group,
    warn_of_other_batch,
)
from glore_seg.engine.setup_check_hook import SetupCheckHook, check_state_dict
from glore_seg.engine.sharding import use_fsdp
from glore_seg.engine.speed import ChannelsLastHook, use_channels_last, use_compile
from glore_seg.engine.splits import use_split
from glore_seg.engine.submitting import submit
from glore_seg.engine.testing import (
    use_inference,
    use_output_dir,
    use_tta,
    use_visualization,
)
from glore_seg.engine.whole_vis_backend import WholeVisBackend

__all__ = [
    "BFloat16OptimWrapper",
    "ChannelsLastHook",
    "ClipVisualizationHook",
    "Complexity",
    "ProgressBarHook",
    "SetupCheckHook",
    "WholeVisBackend",
    "build_dataset",
    "build_model",
    "build_runner",
    "check_state_dict",
    "count_complexity",
    "forget_training",
    "fuse_runner",
    "leave_process_group",
    "load_config",
    "load_model",
    "submit",
    "use_amp",
    "use_inference",
    "use_channels_last",
    "use_compile",
    "use_fsdp",
    "use_output_dir",
    "use_split",
    "use_tta",
    "use_visualization",
    "warn_of_other_batch",
]
