#!/bin/bash
# A batch on a cluster with Slurm: one scheduler, one worker a task, all on a folder that every node sees.
#   sbatch docs/slurm.sh policy_mix /shared/runs/policy_mix
# The same command after an end of any kind (time limit, node down, scancel) goes on where it was.
#SBATCH --job-name=migrasim
#SBATCH --ntasks=32
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --time=08:00:00
set -eu
experiment=$1
folder=$2
python=${PYTHON:-python3} # of an environment with migrasim, on a disk that every node sees
tasks=${SLURM_NTASKS:-2}
address_file=$(mktemp "${TMPDIR_SHARED:-$PWD}/migrasim-XXXXXX.json")

# one thread a worker; compiled kernels and populations are shared by all nodes
export OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1
export MIGRASIM_CACHE=${MIGRASIM_CACHE:-$HOME/.cache/migrasim}
# what migrasim sets for itself on one machine
export DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=3
export DASK_DISTRIBUTED__WORKER__MEMORY__SPILL=False DASK_DISTRIBUTED__WORKER__MEMORY__TARGET=False
export DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE=False

# compile once, before many would do it at the same time
"$python" -m migrasim run status_quo --sample 0.001 --until 2022 --out "$(mktemp -d)/first" > /dev/null

"$python" -m dask scheduler --scheduler-file "$address_file" --port 0 --no-dashboard &
scheduler=$!
trap 'kill "$scheduler" 2> /dev/null || true; rm -f "$address_file"' EXIT
srun --ntasks="$tasks" "$python" -m dask worker --scheduler-file "$address_file" --nthreads 1 --no-dashboard \
  --death-timeout 300 &

until [ -s "$address_file" ]; do sleep 1; done
address=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["address"])' "$address_file")
"$python" -m migrasim experiment "$experiment" --out "$folder" --scheduler "$address"
