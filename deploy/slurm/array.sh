#!/usr/bin/env bash
# One task of a Slurm array: one shard of a plan. Usage: sbatch --array=0-$((N - 1)) array.sh PLAN PARTS
#SBATCH --job-name=regionsim
#SBATCH --output=regionsim-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=512M
#SBATCH --requeue
set -uo pipefail
plan=$1 parts=$2

# A node that dies is Slurm's affair: --requeue. A task that exits with an error isn't, so it is tried again here; 2 says
# that another try would end alike. The shard takes its number from SLURM_ARRAY_TASK_ID.
for try in 1 2 3; do
    regionsim shard "$plan" --out "$parts" --threads "${SLURM_CPUS_PER_TASK:-1}" && exit 0
    code=$?
    echo "shard ${SLURM_ARRAY_TASK_ID-}, try $try: exit $code" >&2
    ((code == 2)) && break
    sleep "$try"
done
exit "$code"
