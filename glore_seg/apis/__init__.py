"""What tools, scripts and notebooks call: configs, networks, evaluation, inference, submissions."""

from glore_seg.apis.complexity import Complexity, count_complexity
from glore_seg.apis.config import load_config, use_amp
from glore_seg.apis.config_checks import check_config
from glore_seg.apis.model import load_model
from glore_seg.apis.splits import use_split
from glore_seg.apis.submission import submit
from glore_seg.apis.test_options import use_inference, use_output_dir, use_tta, use_visualization

__all__ = [
    "Complexity",
    "check_config",
    "count_complexity",
    "load_config",
    "load_model",
    "submit",
    "use_amp",
    "use_inference",
    "use_output_dir",
    "use_split",
    "use_tta",
    "use_visualization",
]
