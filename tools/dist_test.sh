#!/usr/bin/env bash
# Evaluate on several GPUs of this machine, or on several CPU processes where it has none:
#   tools/dist_test.sh CONFIG CHECKPOINT NUM_PROCESSES [options of test.py]
# On several machines set NNODES, NODE_RANK, MASTER_ADDR and PORT.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"
[ $# -ge 3 ] || usage
with_torchrun "$3" test.py "$1" "$2" "${@:4}"
