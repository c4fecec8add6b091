#!/bin/bash
# depeche on a Slurm cluster: the first task makes the run and writes the outputs, the others work on it.
# Submit it in the folder of config.toml, which all nodes must see: sbatch --array=0-39 slurm.sh
# sbatch passes your environment on, with PGPASSWORD and the keys of the services.
#SBATCH --job-name=depeche
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --output=depeche-%A-%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
set -u
first=${SLURM_ARRAY_TASK_MIN:-0}
task=${SLURM_ARRAY_TASK_ID:-0}
if [ "$task" = "$first" ]; then
    command=(depeche run --quiet --wait-for 10m)
else
    command=(depeche work --quiet --wait-for 10m)
fi

# Whether the first task has not ended. If the controller does not answer, we assume so.
has_run() {
    [ "$task" = "$first" ] && return
    local queued
    queued=$(squeue --noheader --jobs="${SLURM_ARRAY_JOB_ID}_$first" 2>&1)
    [ -n "$queued" ] && [[ $queued != *"Invalid job id"* ]]
}

# Slurm starts a task again whose node has failed, but not one whose program was killed, for example
# because memory ran out (137). 5: a service or the ledger was unavailable. 11: another process has the
# ledger to itself. A restart does not help after the other codes. When the first task has ended,
# there is nothing left to do: a worker would wait for the next run.
while has_run; do
    "${command[@]}"
    code=$?
    case $code in
        5 | 11 | 137) sleep 5 ;;
        *) exit "$code" ;;
    esac
done
