# Sourced by dist_*.sh and slurm_*.sh: how a tool is started as several processes.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}"

usage() {  # print the comment at the head of the calling script
  sed -n '2,/^[^#]/s/^# \?//p' "$0" >&2
  exit 2
}

with_torchrun() {  # with_torchrun NUM_PROCESSES TOOL [arguments...]
  local processes=$1 tool=$2
  shift 2
  local address=${MASTER_ADDR:-127.0.0.1} port=${PORT:-29500} first=false
  if [ "${NODE_RANK:-0}" = 0 ]; then first=true; fi
  local meeting=(--rdzv-backend c10d --rdzv-id "${RUN_ID:-glore_seg}" --rdzv-endpoint
    "$address:$port" --rdzv-conf "is_host=$first")
  if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    meeting=(--standalone)  # takes a free port
  elif [ "$first" = true ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "error: PORT $port is in use on this machine, by another training perhaps; expected a" \
      "free port: set PORT to another one, on one machine leave it out" >&2
    exit 2
  fi
  # torchrun ends what has not left so long after a signal; train_cfg.grace_s is 60 by default.
  export TORCH_ELASTIC_SHUTDOWN_TIMEOUT="${TORCH_ELASTIC_SHUTDOWN_TIMEOUT:-90}"
  # A store that attempts share leads restarted processes to the addresses of dead ones.
  export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
  exec "${PYTHON:-python}" -m torch.distributed.run "${meeting[@]}" --nnodes "${NNODES:-1}" \
    --nproc-per-node "$processes" --max-restarts "${MAX_RESTARTS:-0}" \
    "$here/$tool" "$@" --launcher pytorch
}

with_slurm() {  # with_slurm PARTITION JOB_NAME TOOL [arguments...]
  local partition=$1 job=$2 tool=$3
  shift 3
  local gpus=${GPUS:-8} per_node=${GPUS_PER_NODE:-8}
  if [ "$gpus" -lt "$per_node" ]; then per_node=$gpus; fi
  # SRUN_ARGS is several words on purpose.
  # shellcheck disable=SC2086
  exec srun --partition "$partition" --job-name "$job" --gres "gpu:$per_node" \
    --ntasks "$gpus" --ntasks-per-node "$per_node" --cpus-per-task "${CPUS_PER_TASK:-8}" \
    --kill-on-bad-exit=1 ${SRUN_ARGS:-} "${PYTHON:-python}" -u "$here/$tool" "$@" --launcher slurm
}
