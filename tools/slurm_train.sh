#!/usr/bin/env bash
# Train under Slurm:
#   GPUS=8 GPUS_PER_NODE=8 tools/slurm_train.sh PARTITION JOB_NAME CONFIG [options of train.py]
# CPUS_PER_TASK (default 8) is for each GPU; SRUN_ARGS takes further options of srun.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"
[ $# -ge 3 ] || usage
with_slurm "$1" "$2" train.py "${@:3}"
