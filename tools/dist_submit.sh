#!/usr/bin/env bash
# Make a submission on several GPUs of this machine, or on several CPU processes where it has none:
#   tools/dist_submit.sh CONFIG CHECKPOINT NUM_PROCESSES [options of submit.py]
# On several machines set NNODES, NODE_RANK, MASTER_ADDR and PORT, and
# give a --work-dir that all of them see.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"
[ $# -ge 3 ] || usage
with_torchrun "$3" submit.py "$1" "$2" "${@:4}"
