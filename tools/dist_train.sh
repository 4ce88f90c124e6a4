#!/usr/bin/env bash
# Train on several GPUs of this machine, or on several CPU processes where it has none:
#   tools/dist_train.sh CONFIG NUM_PROCESSES [options of train.py]
# On several machines set NNODES, NODE_RANK, MASTER_ADDR and PORT. MAX_RESTARTS=3 with
# --resume goes on after a process has died.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"
[ $# -ge 2 ] || usage
with_torchrun "$2" train.py "$1" "${@:3}"
