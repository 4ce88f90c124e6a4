#!/usr/bin/env bash
# Make a submission under Slurm:
#   GPUS=8 GPUS_PER_NODE=8 tools/slurm_submit.sh PARTITION JOB_NAME CONFIG CHECKPOINT [options]
# CPUS_PER_TASK (default 8) is for each GPU; SRUN_ARGS takes further options of srun.
# --work-dir must be a folder that all machines see.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"
[ $# -ge 4 ] || usage
with_slurm "$1" "$2" submit.py "${@:3}"
