"""What the command-line tools share."""

from glore_seg.cli.main import one_line, run_tool
from glore_seg.cli.options import (
    add_cfg_options,
    add_launcher_options,
    add_run_options,
    add_speed_options,
    set_launcher,
)

__all__ = [
    "add_cfg_options",
    "add_launcher_options",
    "add_run_options",
    "add_speed_options",
    "one_line",
    "run_tool",
    "set_launcher",
]
