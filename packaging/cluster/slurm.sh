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

# Succeeds until the first task has ended, and always in the first task itself. If the controller
# does not answer, the first task counts as running.
has_run() {
    [ "$task" = "$first" ] && return
    local queued
    queued=$(squeue --noheader --jobs="${SLURM_ARRAY_JOB_ID}_$first" 2>&1)
    [ -n "$queued" ] && [[ $queued != *"Invalid job id"* ]]
}

# Slurm restarts a task if its node fails, but not if its program was killed (137), for example because
# memory ran out. So this loop restarts the program. It does the same after 5 (a service or the ledger
# was unavailable) and 11 (another process has locked the ledger). A restart does not help after the
# other codes. The loop ends when the first task has ended, because a worker would then wait for the
# next run.
while has_run; do
    "${command[@]}"
    code=$?
    case $code in
        5 | 11 | 137) sleep 5 ;;
        *) exit "$code" ;;
    esac
done
